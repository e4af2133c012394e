"""Headers of observation files: what a file says of itself, without reading its data.

Here: one module a format (``fits``, ``gzip_fits``, ``hdf5``, ``netcdf3``, ``netcdf4``, ``csv_header``),
recognising formats by content (``sniff``), times (``times``), and the keyword mappings of missions
(``mappings`` and ``mappings.toml``).
Not here: finding files and keeping what was found (``catalog``).
To add a format, write one module that makes a ``Header``, and name its magic in ``sniff``.
"""
