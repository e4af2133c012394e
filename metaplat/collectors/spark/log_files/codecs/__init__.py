"""One module a codec, ``<codec>_stream``, each with a function ``unpacked``: stored bytes in, content out.

Here: zstd, gzip, and the block formats of the Java libraries that Spark uses (lz4, snappy, lzf).
Not here: which codec a file is packed by (``unpack``).
All raise ``DamageError`` where the stream is cut or damaged, after yielding what came before.
"""
