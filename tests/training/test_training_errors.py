"""What ends a training is told by its kind, whatever library said it."""

import errno

import pytest

from arf_core.errors import InputError
from arf_core.training.training_errors import fault_of

SAID = (
    ("lost_gpu", RuntimeError("CUDA error: uncorrectable ECC error encountered")),
    ("lost_gpu", RuntimeError("No CUDA GPUs are available")),
    ("lost_gpu", RuntimeError("CUDA error: all CUDA-capable devices are busy or unavailable")),
    ("lost_gpu", RuntimeError("CUDA error: an illegal memory access was encountered")),
    ("lost_gpu", RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED")),
    ("lost_gpu", RuntimeError("CUBLAS_STATUS_EXECUTION_FAILED when calling cublasGemmEx")),
    ("lost_gpu", RuntimeError("Found no NVIDIA driver on your system.")),
    ("lost_gpu", RuntimeError("Unable to determine the device handle for GPU: GPU is lost")),
    ("lost_gpu", RuntimeError("NCCL error: unhandled system error")),
    ("out_of_memory", RuntimeError("CUDA error: out of memory")),
    ("out_of_memory", RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB.")),
    ("out_of_memory", RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")),
    ("out_of_memory", MemoryError()),
    ("full_disk", OSError(errno.ENOSPC, "No space left on device")),
    ("full_disk", RuntimeError("PytorchStreamWriter failed writing file data/0")),
    ("unusable", InputError("No answer fits the length.", "Give a larger --max-length.")),
    ("bug", KeyError("labels")),
)


@pytest.mark.parametrize(("reason", "error"), SAID)
def test_each_end_has_its_reason_and_something_to_do(reason: str, error: Exception) -> None:
    fault = fault_of(error)
    assert fault.reason == reason
    assert fault.message
    assert fault.hint


def test_where_only_the_files_are_still_to_be_made_nothing_is_trained_anew() -> None:
    hint = fault_of(MemoryError(), trained=True).hint
    assert "--no-gguf" in hint
    assert "--fresh" not in hint


def test_the_cause_behind_an_error_counts_too() -> None:
    cause = RuntimeError("CUDA error: unspecified launch failure")
    wrapper = ValueError("the batch could not be moved")
    wrapper.__cause__ = cause
    assert fault_of(wrapper).reason == "lost_gpu"
