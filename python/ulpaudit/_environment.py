"""The floating-point environment of the calling thread, seen by what arithmetic gives."""
# SPDX-License-Identifier: Apache-2.0
import sys
from typing import Dict, List


def environment() -> Dict[str, str]:
    """Rule → its state, in words. Tiny sums show the rounding mode, subnormals FTZ and DAZ."""
    one, tiny = 1.0, 2.0 ** -80
    up, down = one + tiny > one, one - tiny < one
    if up:
        mode = 'upward'
    elif -one - tiny < -one:
        mode = 'downward'
    elif down:
        mode = 'toward zero'
    else:
        mode = 'to nearest'
    smallest = sys.float_info.min
    ftz = smallest * 0.5 == 0.0
    daz = sys.float_info.min * sys.float_info.epsilon * 2.0 ** 60 == 0.0
    return {'environment.rounding_mode': mode,
            'environment.ftz_daz': 'FTZ %s, DAZ %s' % ('on' if ftz else 'off', 'on' if daz else 'off')}


def changes(before: Dict[str, str], after: Dict[str, str]) -> List[Dict[str, object]]:
    """Facts, as the protocol wants them."""
    words = {'environment.rounding_mode': 'the rounding mode was %s and is %s',
             'environment.ftz_daz': 'it was: %s; and is: %s'}
    return [{'rule': rule, 'element': 0, 'text': words[rule] % (was, after[rule])}
            for rule, was in before.items() if after[rule] != was]
