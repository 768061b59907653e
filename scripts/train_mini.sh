#!/bin/sh
# Train mini from nothing: draw, cut, train the three parts, export.
#
#   scripts/train_mini.sh WORK [MODELS3D PANELS]
#
# WORK: a folder for drawings, prepared arrays and checkpoints (some 10 GB).  MODELS3D, PANELS: optional folders of rigged .glb
# characters and comic panels; without them only drawn characters are used.  SETS, MINUTES_FLATS, MINUTES_PAINTED and
# MINUTES_FOREGROUND change the size of the run; PYTHON is the interpreter.  Started again, it goes on where it stopped.
set -eu
work=$1
python=${PYTHON:-python3}
cd "$(dirname "$0")/.."
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"

"$python" -m backend.training.drawings.cli render --out "$work/shards" --sets "${SETS:-10000}" \
    ${2:+--models3d "$2"} ${3:+--panels "$3"}
"$python" -m backend.training.cli prepare "$work/shards" --cache "$work/cache"
"$python" -m backend.training.cli train flats --cache "$work/cache" --run "$work/flats" --minutes "${MINUTES_FLATS:-80}"
"$python" -m backend.training.cli train painted --cache "$work/cache" --run "$work/painted" --minutes "${MINUTES_PAINTED:-46}"
"$python" -m backend.training.cli train foreground --cache "$work/cache" --run "$work/foreground" \
    --minutes "${MINUTES_FOREGROUND:-14}"
"$python" -m backend.training.cli export "$work/flats" "$work/painted" "$work/foreground" backend/data/mini
