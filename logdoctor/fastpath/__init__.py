"""Reads many lines of one shape at once.

The parsers read a log line by line and know what each number means. Most lines of a long log have a shape that was
read thousands of times before, so a :mod:`template <logdoctor.fastpath.template>` learnt from lines that the parsers
read takes over: :mod:`logdoctor.fastpath.scan` walks it over a block of lines with one cursor a line, checks every
literal byte, and converts the numbers in bulk (:mod:`logdoctor.fastpath.numbers`). A line that differs in any byte that
is not a number goes back to the parsers.

Which shape may be used where, and what follows from it, is the work of ``driver``, ``walk`` and ``path``; what the
records mean is decided on a sample of them (``collect``, ``decide``) and carried over to all (``whole``, or ``binned``
when the log is streamed).
"""
