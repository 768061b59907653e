#!/bin/sh
# Train mini from an empty folder, overnight on two cores: draw, cut into regions, train the three parts, export, measure.
#
#   scripts/train_mini.sh WORK [MODELS3D PANELS]
#
# WORK: a folder for drawings, prepared arrays and checkpoints (some 20 GB); the model is WORK/models/mini.  MODELS3D, PANELS:
# optional folders of rigged .glb characters and comic panels; without them everything is drawn by this project's own code.
# HOURS (default 8) is the time for training; drawing (SETS, default 20000 examples) comes on top.  WORKERS: processes that draw
# and cut (default: one a core); BATCH (default 16): examples in a batch; LIMIT (default 60): drawings of a shard to measure on;
# OUT: another place for the model; PYTHON: the interpreter.  Interrupted at any time and started again, it resumes.
set -eu
work=$1
python=${PYTHON:-python3}
cd "$(dirname "$0")/.."
cores=${WORKERS:-$(env -u OMP_NUM_THREADS nproc)}
out=${OUT:-$work/models/mini}
export OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"  # threads that spin while they wait take cores from the processes that make batches

minutes() { echo "${HOURS:-8}" "$1" | awk '{ print $1 * 60 * $2 }'; }
train() {
    "$python" -m backend.training.cli "$1" --cache "$work/cache" --run "$work/$1" --minutes "$(minutes "$2")" \
        --batch-size "${BATCH:-16}" --workers 1
}

OMP_NUM_THREADS=1 "$python" -m backend.training.cli drawings render --out "$work/shards" --sets "${SETS:-20000}" \
    --workers "$cores" ${2:+--models3d "$2"} ${3:+--panels "$3"}
OMP_NUM_THREADS=1 "$python" -m backend.training.cli prepare "$work/shards" --cache "$work/cache" --workers "$cores"
train flats 0.6
"$python" -m backend.training.cli precompute-warps --cache "$work/cache" --flats "$work/flats"
train painted 0.28
train foreground 0.12
"$python" -m backend.training.cli export "$out" --flats "$work/flats" --painted "$work/painted" --foreground "$work/foreground"
for pairs in "$work"/shards/val_*.npz; do
    "$python" -m backend.evaluation.cli --pairs "$pairs" --out "$work/report/$(basename "$pairs" .npz)" \
        --models "$(dirname "$out")" --limit "${LIMIT:-60}"
done
