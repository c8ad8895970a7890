"""Pure functions from arrays to scores: no metric name, no pandas, no file.

Every function takes one-dimensional float arrays in file order and works in at most ``n log n``; the ones that
compare pairs thin the series first (:mod:`logdoctor.detectors.bins`).
"""
