#!/bin/sh
# Both phases of AnimeDiffusion on drawn faces, small: does phase 2 mend the tones?  An hour on one core; ended and started again,
# it goes on where it stopped.
#
#   scripts/train_faces.sh WORK
#
# WORK: a folder for faces, checkpoints and figures (1 GB).  MINUTES (default 60): of training, two thirds of it for phase 1.
# SIDE (default 48): of the pictures; WIDTH (default 32): of the network's first level; FACES (default 4000) to learn from;
# PYTHON: the interpreter.
set -eu
work=$1
python=${PYTHON:-python3}
cd "$(dirname "$0")/.."
side=${SIDE:-48}
export OMP_NUM_THREADS=1 OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"

minutes() { echo "${MINUTES:-60}" "$1" | awk '{ print $1 * $2 }'; }
train() {
    part=$1 share=$2 run=$3
    shift 3
    "$python" -m backend.training.cli "$part" --data "$work/train" --run "$run" --minutes "$(minutes "$share")" --side "$side" \
        --batch 8 --precision no --device cpu --threads 1 --validation "$work/test" "$@"
}

"$python" -m backend.training.cli drawings faces "$work/train" --count "${FACES:-4000}" --size 128 --seed 1
"$python" -m backend.training.cli drawings faces "$work/test" --count 200 --size 128 --seed 2
train anime1 0.67 "$work/phase1" --width "${WIDTH:-32}" --rate 4e-4 --warm 0.05 --average 0.995
"$python" -m backend.training.cli anime-publish "$work/phase1" "$work/phase1.safetensors"
train anime2 0.33 "$work/phase2" --start "$work/phase1.safetensors" --rate 2e-4 --warm 0.1 --average 0.98 --clip 1
"$python" -m backend.training.cli anime-publish "$work/phase2" "$work/phase2.safetensors"
for phase in phase1 phase2; do
    "$python" -m backend.evaluation.faces_cli "$work/$phase.safetensors" "$work/test" --side "$side" --out "$work/figures-$phase"
done
