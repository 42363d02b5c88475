"""What this machine has, as far as trainings care."""

import os
import platform
import subprocess
from contextlib import suppress
from pathlib import Path


def cores() -> int:
    """The cores that this process may use, which can be fewer than the machine has."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):  # a container's share of time: "200000 100000", or "max 100000"
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        count = min(count, max(1, int(quota) // int(period)))
    return count


def processor() -> tuple[str, set[str]]:
    """Vendor and feature flags, as Linux tells them; empty elsewhere."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if platform.system() == "Linux" else []
    fields = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return fields.get("vendor_id", ""), set(fields.get("flags", "").split())


def gpu_capabilities() -> dict[str, float]:
    """Compute capability by GPU id, of those that CUDA_VISIBLE_DEVICES leaves visible."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible in ("", "-1"):
        return {}
    query = ["nvidia-smi", "--query-gpu=index,compute_cap", "--format=csv,noheader"]
    if visible:
        query.append(f"--id={visible}")
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout
        found = [line.split(",") for line in answer.splitlines() if line.strip()]
        ids = visible.split(",") if visible else [index.strip() for index, _ in found]
        return {name: float(capability) for name, (_, capability) in zip(ids, found, strict=True)}
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
