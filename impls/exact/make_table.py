#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the constants of double_double-inl.h: make_table.py > table.inc (needs mpmath)

A pair (hi, lo) stands for the real number x as hi = RN(x), lo = RN(x - hi): within 2^-106.
"""
from mpmath import mp, mpf, floor, ldexp, log

mp.prec = 400


def pair(x):
    hi = float(x)  # mpmath rounds to nearest, ties to even
    return hi.hex(), float(x - mpf(hi)).hex()


def cut(x, lowest):
    """x with the bits below 2^lowest dropped."""
    return ldexp(floor(ldexp(x, -lowest)), lowest)


def scalar(name, value):
    print(f"inline constexpr double {name} = {value};")


def table(name, values):
    print(f"alignas(64) inline constexpr double {name}[] = {{")
    for i in range(0, len(values), 8):
        print("    " + ", ".join(values[i:i + 8]) + ",")
    print("};")


print("// Constants of double_double-inl.h, printed by make_table.py. Not to be edited.")
print("// clang-format off")
print("// ln2/256 in 33, 33 and 53 bits (error below 2^-128), and 256/ln2.")
step = log(2) / 256
step1 = cut(step, -41)
step2 = cut(step - step1, -74)
for name, v in (("kStep1", step1), ("kStep2", step2), ("kStep3", step - step1 - step2)):
    scalar(name, float(v).hex())
scalar("kStepsPerUnit", float(1 / step).hex())
for name, v in (("kSixth", mpf(1) / 6), ("kTwentyFourth", mpf(1) / 24)):
    hi, lo = pair(v)
    scalar(name + "Hi", hi)
    scalar(name + "Lo", lo)
print("// 2^(j/256), j = 0 .. 255.")
powers = [pair(mpf(2) ** (mpf(j) / 256)) for j in range(256)]
table("kPowerHi", [hi for hi, _ in powers])
table("kPowerLo", [lo for _, lo in powers])
print("// clang-format on")
