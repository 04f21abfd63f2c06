"""Linear algebra of the array API standard: matrices in the last two axes, the others are independent matrices."""

from trainsmith._linear import matmul, matrix_transpose, tensordot, vecdot
from trainsmith.linalg._decompositions import (
    QR,
    SVD,
    Eigh,
    eigh,
    eigvalsh,
    matrix_rank,
    pinv,
    qr,
    svd,
    svdvals,
)
from trainsmith.linalg._norms import matrix_norm, vector_norm
from trainsmith.linalg._products import cross, diagonal, outer, trace
from trainsmith.linalg._solving import Slogdet, cholesky, det, inv, matrix_power, slogdet, solve

# fmt: off
__all__ = [
    "QR",
    "SVD",
    "Eigh",
    "Slogdet",
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]
# fmt: on
