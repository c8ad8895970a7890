"""Numbers in text to float64, many at a time, bit-equal to ``float()`` on each token.

Digits are summed eight at a time inside 64-bit words. A token becomes an integer mantissa ``m`` and a decimal exponent
``e``; the value is

* ``m * 10**e`` or ``m / 10**-e`` where ``m < 2**53`` and ``|e| <= 22``: both operands are exact doubles, so that one
  IEEE operation rounds correctly (Clinger 1990, "How to read floating point numbers accurately", section 3);
* for ``m < 2**64`` and ``-45 <= e < 0`` a quotient with an exactly known remainder (Dekker 1971, "A floating-point
  technique for extending the available precision"), unless the result lies too close to the middle between two doubles;
* ``float()`` of the digits for the few that are left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logdoctor.fastpath.window import Bytes, Cursor, Window, Words, spread, u64

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

_ZEROS = spread(0x30)
_OVER_NINE = spread(0x76)
_HIGH = spread(0x80)
_LOWER = spread(0x20)
_DOT = spread(ord(".") ^ 0x30)
_ONE, _SEVEN, _EIGHT = u64(1), u64(7), u64(8)
_BYTE = u64(0xFF)
_PAIRS = u64(0x000000FF000000FF)
_MUL_EVEN = u64(0x000F424000000064)
_MUL_ODD = u64(0x0000271000000001)
_TEN, _SIXTEEN, _THIRTYTWO = u64(10), u64(16), u64(32)
_NAN = u64(int.from_bytes(b"nan", "little"))
_INF = u64(int.from_bytes(b"inf", "little"))
_INITY = u64(int.from_bytes(b"inity", "little"))
_THREE = u64(0xFFFFFF)
_FIVE = u64(0xFFFFFFFFFF)

_POW10_INT = np.array([10**k for k in range(20)], np.uint64)
_POW10 = np.array([float(10**k) for k in range(46)])
_POW10_LOW = np.array([float(10**k - int(float(10**k))) for k in range(46)])
_EXACT = u64(1 << 53)
_MANTISSA_LIMIT = 1.8e19
_MAX_CLINGER = 22
_MAX_QUOTIENT = 45
_SPLITTER = 134217729.0

SUFFIXES = {b"k": 3, b"K": 3, b"M": 6, b"B": 9, b"T": 12}
_SUFFIX_POWER = np.zeros(256, np.int64)
for _letter, _power in SUFFIXES.items():
    _SUFFIX_POWER[_letter[0]] = _power


@dataclass(slots=True)
class Slot:
    """What is known of one number of a template.

    Attributes:
        stop: the byte that follows the number in the template.
        suffix: the number may carry k, M, B or T.
        commas: its thousands may be set apart by commas.
        long: most tokens so far did not fit into seven characters (a hint for speed alone).
    """

    stop: int
    suffix: bool = False
    long: bool = False
    commas: bool = False


def read_numbers(window: Window, at: Cursor, slot: Slot) -> tuple[Floats, Cursor, Bools | None]:
    """Read one number at each of ``at`` (shape ``(n,)``).

    Returns:
        values, the places behind the numbers, and which could be read (None when all could).
    """
    words = window.words(at)
    lead = words & _BYTE
    minus = lead == u64(ord("-"))
    signed = minus | (lead == u64(ord("+")))
    negative: Bools | None = None
    if signed.any():
        negative = minus
        at = at + signed
        words = window.words(at)
    if slot.long or slot.commas:
        value, end, good = _read_long(window, at, slot)
    else:
        value, end, good = _read_short(words, at, slot)
        if good is not None:
            rest = np.flatnonzero(~good)
            slot.long = rest.size * 2 > at.size
            long_value, long_end, long_good = _read_long(window, at[rest], slot)
            value[rest], end[rest] = long_value, long_end
            good = None
            if long_good is not None:
                good = np.ones(at.size, np.bool_)
                good[rest] = long_good
    if negative is not None:
        np.negative(value, out=value, where=negative)
    return value, end, good


def _first(marks: Words) -> Words:
    """Return the lowest set bit of each word."""
    return marks & np.negative(marks)


def _below(mark: Words) -> Words:
    """Return ones in the bytes before the byte whose high bit is ``mark`` (all ones where it is 0)."""
    return (mark >> _SEVEN) - _ONE


def _eight_digits(word: Words) -> Words:
    """Return the number spelt by eight bytes that hold the values of decimal digits, first digit lowest."""
    word = word * _TEN + (word >> _EIGHT)
    return ((word & _PAIRS) * _MUL_EVEN + ((word >> _SIXTEEN) & _PAIRS) * _MUL_ODD) >> _THIRTYTWO


def _not_digits(digits: Words) -> Words:
    """Mark with 0x80 each byte that is no digit value; only marks up to the first byte above 0x8A are exact."""
    return ((digits + _OVER_NINE) | digits) & _HIGH


def _read_short(words: Words, at: Cursor, slot: Slot) -> tuple[Floats, Cursor, Bools | None]:
    """Read tokens ``ddd`` or ``ddd.ddd``, with a suffix where the slot has one, that end inside one word."""
    digits = words ^ _ZEROS
    marks = _not_digits(digits)
    first = _first(marks)
    whole = _below(first)
    here = (first << _ONE) - (first >> _SEVEN)
    dotted = ((digits ^ _DOT) & here) == 0
    second = _first(marks ^ first)
    last = second if dotted.all() else np.where(dotted, second, first)
    token = _below(last)
    bits = np.bitwise_count(token)
    length = bits >> np.uint8(3)
    good = last != 0
    good &= whole != 0
    kept = digits & token
    kept = (kept & whole) | ((kept >> _EIGHT) & ~whole)
    shift = np.uint8(64) - bits + (dotted.view(np.uint8) << np.uint8(3))
    mantissa = _eight_digits(kept << shift).view(np.int64).astype(np.float64)
    after = length - (np.bitwise_count(whole) >> np.uint8(3)) - dotted
    good &= (after > 0) | ~dotted
    after = after * dotted
    if slot.suffix:
        mantissa, length = _with_suffix(words, mantissa, length, np.minimum(after, 8), slot.stop, good)
        return mantissa, at + length, None if good.all() else good
    behind = (last << _ONE) - (last >> _SEVEN)
    good &= ((digits ^ spread(slot.stop ^ 0x30)) & behind) == 0
    low, high = int(after.min()), int(after.max())
    if low != high:
        mantissa /= _POW10.take(np.minimum(after, 8))
    elif low:
        mantissa /= _POW10[min(low, 8)]
    return mantissa, at + length, None if good.all() else good


def _with_suffix(
    words: Words, mantissa: Floats, length: Bytes, after: Bytes, stop: int, good: Bools
) -> tuple[Floats, Bytes]:
    """Apply the letter behind a number, if there is one; ``good`` stays where the stop byte follows."""
    ends = length << np.uint8(3)
    power = _SUFFIX_POWER.take(((words >> ends) & _BYTE).view(np.int64))
    length = length + (power > 0)
    # A shift by 64 bits or more is undefined: such a token does not end inside the word.
    good &= length < 8
    good &= (words >> (np.minimum(length, 7) << np.uint8(3))) & _BYTE == u64(stop)
    exponent = power - after
    low, high = int(exponent.min()), int(exponent.max())
    return _scale(mantissa, exponent, low, high), length


def _digit_run(window: Window, at: Cursor) -> tuple[Words, Floats, Ints, Bools]:
    """Read up to 23 digits at each of ``at``: value modulo 2**64, the same as a float, count, whether that was all."""
    quads = window.quads(at).reshape(-1, 4)
    value, count, size = _digit_word(quads[:, 0] ^ _ZEROS)
    more = np.flatnonzero(count == 8)
    for column in (1, 2):
        if not more.size:
            break
        part, length, part_size = _digit_word(quads[more, column] ^ _ZEROS)
        value[more] = value[more] * _POW10_INT.take(length) + part
        size[more] = size[more] * _POW10.take(length) + part_size
        count[more] += length
        more = more[length == 8]
    whole = np.ones(at.size, np.bool_)
    whole[more] = False
    return value, size, count, whole


def _digit_word(digits: Words) -> tuple[Words, Ints, Floats]:
    marks = _not_digits(digits)
    mask = _below(_first(marks))
    bits = np.bitwise_count(mask)
    value = _eight_digits((digits & mask) << (np.uint8(64) - bits))
    return value, (bits >> np.uint8(3)).astype(np.int64), value.view(np.int64).astype(np.float64)


def _read_long(window: Window, at: Cursor, slot: Slot) -> tuple[Floats, Cursor, Bools | None]:
    """Read tokens of any length up to 23 digits before and behind the point, exponents, nan and inf."""
    mantissa, size, count, good = _digit_run(window, at)
    end = at + count
    if slot.commas:
        _add_thousands(window, end, mantissa, size, count)
    exponent = np.zeros(at.size, np.int64)
    dotted = np.flatnonzero(window.data[end] == ord("."))
    if dotted.size:
        part, part_size, places, whole = _digit_run(window, end[dotted] + 1)
        shift = np.minimum(places, 19)
        mantissa[dotted] = mantissa[dotted] * _POW10_INT.take(shift) + part
        size[dotted] = size[dotted] * _POW10.take(places) + part_size
        exponent[dotted] = -places
        # "0.<20 digits>" fits when it starts with zeros: the integer part is 0 then and its factor is never used.
        good[dotted] &= whole & ((places <= 19) | (mantissa[dotted] == part))
        good[dotted] &= (count[dotted] + places) > 0
        end[dotted] += places + 1
        count[dotted] += places
    good &= size < _MANTISSA_LIMIT
    _read_exponents(window, end, exponent, good)
    if slot.suffix:
        power = _SUFFIX_POWER.take(window.data[end])
        exponent += power
        end += power > 0
    words_at = np.flatnonzero(count == 0)
    value = decimal_to_float(mantissa, exponent)
    if words_at.size:
        value[words_at], end[words_at], good[words_at] = _read_names(window, at[words_at])
    return value, end, None if good.all() else good


def _add_thousands(window: Window, end: Cursor, mantissa: Words, size: Floats, count: Ints) -> None:
    """Take ``,ddd`` as often as it follows one to three digits, in place."""
    rows = np.flatnonzero((count >= 1) & (count <= 3))
    while rows.size:
        words = window.words(end[rows])
        part, length, _ = _digit_word((words >> _EIGHT) ^ _ZEROS)
        found = ((words & _BYTE) == u64(ord(","))) & (length == 3)
        rows, part = rows[found], part[found]
        mantissa[rows] = mantissa[rows] * u64(1000) + part
        size[rows] = size[rows] * 1000.0 + part
        count[rows] += 3
        end[rows] += 4


def _read_exponents(window: Window, end: Cursor, exponent: Ints, good: Bools) -> None:
    """Add ``e+05`` and the like to ``exponent`` and move ``end`` behind them, in place."""
    rows = np.flatnonzero((window.data[end] | 0x20) == ord("e"))
    if not rows.size:
        return
    at = end[rows] + 1
    sign = window.data[at]
    minus = sign == ord("-")
    at = at + (minus | (sign == ord("+")))
    value, count, _ = _digit_word(window.words(at) ^ _ZEROS)
    found = count > 0
    good[rows] &= count < 5
    number = np.minimum(value, u64(9999)).view(np.int64)
    exponent[rows] += np.where(found, np.where(minus, -number, number), 0)
    end[rows] = np.where(found, at + count, end[rows])


def _read_names(window: Window, at: Cursor) -> tuple[Floats, Cursor, Bools]:
    """Read ``nan``, ``inf`` and ``infinity`` in any case."""
    words = window.words(at) | _LOWER
    head = words & _THREE
    nan, inf = head == _NAN, head == _INF
    long = inf & (((words >> u64(24)) & _FIVE) == _INITY)
    value = np.where(nan, np.nan, np.inf)
    return value, at + np.where(long, 8, 3), nan | inf


def decimal_to_float(mantissa: Words, exponent: Ints) -> Floats:
    """Return ``mantissa * 10**exponent``, correctly rounded. Shapes ``(n,)``."""
    if not mantissa.size:
        return np.zeros(0)
    low, high = int(exponent.min()), int(exponent.max())
    value = mantissa.astype(np.float64)
    if low == 0 and high == 0:
        return value
    small = mantissa <= _EXACT
    if low >= -_MAX_CLINGER and high <= _MAX_CLINGER and bool(small.all()):
        return _scale(value, exponent, low, high)
    easy = small & (np.abs(exponent) <= _MAX_CLINGER)
    rows = np.flatnonzero(easy)
    out = np.empty(mantissa.size)
    if rows.size:
        some = exponent[rows]
        out[rows] = _scale(value[rows], some, int(some.min()), int(some.max()))
    rest = np.flatnonzero(~easy)
    divided = (exponent[rest] < 0) & (exponent[rest] >= -_MAX_QUOTIENT) & (mantissa[rest] > 0)
    rows = rest[divided]
    sure = np.zeros(0, np.bool_)
    if rows.size:
        out[rows], sure = _quotient(mantissa[rows], -exponent[rows])
    for i in np.concatenate([rest[~divided], rows[~sure]]).tolist():
        out[i] = float(f"{mantissa[i]}e{exponent[i]}")
    return out


def _scale(value: Floats, exponent: Ints, low: int, high: int) -> Floats:
    if low == high:
        return np.asarray(value * _POW10[low] if low >= 0 else value / _POW10[-low])
    if high <= 0:
        return np.asarray(value / _POW10.take(-exponent))
    scaled = value * _POW10.take(np.maximum(exponent, 0))
    return np.asarray(scaled / _POW10.take(np.maximum(-exponent, 0)))


def _split(value: Floats) -> tuple[Floats, Floats]:
    """Split doubles into two halves of at most 26 bits (Veltkamp)."""
    wide = value * _SPLITTER
    high = wide - (wide - value)
    return high, value - high


def _product_error(a: Floats, b: Floats, product: Floats) -> Floats:
    """Return ``a * b - product`` exactly (Dekker)."""
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    return ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low


def _quotient(mantissa: Words, places: Ints) -> tuple[Floats, Bools]:
    """Return ``mantissa / 10**places`` and where the rounding is certain.

    The remainder of a first quotient is known to about 2**-50 of itself, so that the corrected quotient has an error
    below 2**-100 of its size; a result is certain unless the correction lies within 2**-40 ulp of a half.
    """
    high = mantissa.astype(np.float64)
    # high may round up to 2**64, which does not fit back; mantissas are below 1.8e19 here.
    low = (mantissa - high.astype(np.uint64)).view(np.int64).astype(np.float64)
    power, power_low = _POW10.take(places), _POW10_LOW.take(places)
    first = high / power
    product = first * power
    remainder = ((high - product) - _product_error(first, power, product)) + (low - first * power_low)
    correction = remainder / power
    value = first + correction
    left = (first - value) + correction
    half = np.spacing(value) * 0.5
    return value, np.abs(np.abs(left) - half) > half * 2.0**-39
