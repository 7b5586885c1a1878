#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the constants of the fast judge for f64: make_constants.py > fast_judge_f64_table.inc

Needs mpmath. Each pair (hi, lo) is a real number x as hi = RN(x), lo = RN(x - hi): relative error
at most 2^-106.
"""
from mpmath import mp, mpf, floor, ldexp, log

mp.prec = 400


def pair(x):
    hi = float(x)  # mpmath rounds to nearest, ties to even
    return hi.hex(), float(x - mpf(hi)).hex()


def cut(x, lowest):
    """x with the bits below 2^lowest dropped."""
    return ldexp(floor(ldexp(x, -lowest)), lowest)


def table(name, comment, numbers):
    print(f"// {comment}")
    print(f"alignas(64) inline constexpr double {name}[] = {{")
    pairs = [", ".join(pair(x)) for x in numbers]
    for i in range(0, len(pairs), 8):  # long lines: data, not to be read
        print("    " + ", ".join(pairs[i:i + 8]) + ",")
    print("};")


def scalar(name, value):
    print(f"inline constexpr double {name} = {value};")


print("// Constants of the fast judge for f64, printed by make_constants.py (mpmath). Not to be edited.")
print("// clang-format off")
step = log(2) / 1024
step1 = cut(step, -43)
step2 = cut(step - step1, -75)
print("// ln2/1024 = kStep1 + kStep2 + kStep3: 33 and 32 bits, and 53 more (error below 2^-130).")
for name, v in (("kStep1", step1), ("kStep2", step2), ("kStep3", step - step1 - step2)):
    scalar(name, float(v).hex())
print("// 1024/ln2; 1/6 and 1/3 as pairs.")
scalar("kStepsPerUnit", float(1 / step).hex())
for name, v in (("kSixth", mpf(1) / 6), ("kThird", mpf(1) / 3)):
    hi, lo = pair(v)
    scalar(name + "Hi", hi)
    scalar(name + "Lo", lo)
table("kExpTable", "2^(-j/1024), j = 0 .. 1023, as pairs.", (mpf(2) ** (-mpf(j) / 1024) for j in range(1024)))
table("kLogTable", "-log(c), c = j/1024, j = 512 .. 1024, as pairs.", (-log(mpf(j) / 1024) for j in range(512, 1025)))
print("// clang-format on")
