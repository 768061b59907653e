#!/bin/sh
# Both phases of AnimeDiffusion on drawn faces, small: does phase 2 correct the tones, and more than continuing phase 1 would?
# Takes an hour of training on one core, plus measuring; interrupted and started again, it resumes where it stopped.
#
#   scripts/train_faces.sh WORK
#
# WORK: a folder for faces, checkpoints and metrics (1 GB).  MODELS3D: a folder of rigged characters (.glb); half of the faces
# are theirs, half of the test faces those of the one held out.  MINUTES (default 60) of training: three fifths for phase 1, two
# for phase 2; the control, which continues phase 1, runs beside phase 2 for as long.  SIDE (default 64) of the images; WIDTH
# (default 32) of the network's first level; BATCH (default 8): images in a batch; FACES (default 4000) to learn from;
# TEST_FACES (default 200) to measure on; THREADS (default 1) of each program; NUMBER_FORMAT (default auto); PYTHON: the interpreter.
set -eu
mkdir -p "$1"
work=$(cd "$1" && pwd)
models=${MODELS3D:+$(cd "$MODELS3D" && pwd)}
python=${PYTHON:-python3}
cd "$(dirname "$0")/.."
side=${SIDE:-64} threads=${THREADS:-1}
export OMP_NUM_THREADS="$threads" OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"

minutes() { echo "${MINUTES:-60}" "$1" | awk '{ print $1 * $2 }'; }
faces() {
    part=$1
    shift
    "$python" -m backend.training.cli drawings faces "$work/$part" --size 128 ${models:+--models3d "$models"} "$@"
}
train() {
    phase=$1 share=$2 name=$3
    shift 3
    "$python" -m backend.training.cli "$phase" --data "$work/train" --run "$work/$name" --minutes "$(minutes "$share")" \
        --side "$side" --batch-size "${BATCH:-8}" --number-format "${NUMBER_FORMAT:-auto}" --device cpu --threads "$threads" \
        --save-minutes 8 --validation "$work/test" "$@"
    "$python" -m backend.training.cli anime-publish "$work/$name" "$work/$name.safetensors"
    "$python" -m backend.evaluation.animediffusion.cli "$work/$name.safetensors" "$work/test" --side "$side" --threads "$threads" \
        --baselines --out "$work/metrics-$name"
}

faces train --count "${FACES:-4000}" --seed 1
faces test --count "${TEST_FACES:-200}" --seed 2 --held-out
train anime1 0.6 phase1 --width "${WIDTH:-32}" --learning-rate 4e-4 --warmup-share 0.05 --ema-decay 0.995
train anime1 0.4 control --start "$work/phase1.safetensors" --learning-rate 2e-4 --warmup-share 0.1 --ema-decay 0.995 &
control=$!
trap 'wait "$control"' EXIT  # when phase 2 fails, the control must not stay behind in the background
train anime2 0.4 phase2 --start "$work/phase1.safetensors" --learning-rate 2e-4 --warmup-share 0.1 --ema-decay 0.98 --max-grad-norm 1
wait "$control"
