#!/bin/sh
# Train mini on a GPU machine that has Python, PyTorch and EGL but no network: draw, cut, train, export, evaluate, pack.
#
#   scripts/train_on_gpu.sh OUT MINUTES [PART...]
#
# MINUTES of training are shared by the PARTs (flats painted foreground; default: flats).  OUT gets at most 64 MB in 8 files:
# train.log, evaluation.txt, report.tar.gz, sheet.png (validation images of the last part), and result.tar.00,
# result.tar.01, ..., which `cat OUT/result.tar.* | tar x -C FOLDER` unpacks: model/, logs/ and those checkpoints that fit.
#
# Training continues from the first of these that exists: the checkpoint in WORK (default runs/gpu; kept from call to call on one
# machine), a checkpoint or the model in FROM (the OUT of an earlier call), the shipped weights.  START=none begins with new
# networks.  The learning rate's schedule is not continued: in every call it falls to its end.
# PACK (default .gpu): packages packed by scripts/pack_for_gpu.sh, where the machine lacks some.
# SETS: examples to draw (default 500 a core and at least 2000); DRAWING_MINUTES (default 3) ends drawing earlier.  CACHE: use
# these prepared drawings instead.  MODELS3D, PANELS: folders for the drawings, see docs/training.md.
# BATCH: examples in a batch; WORKERS: processes that make batches; RATE: highest learning rate; DEVICE: cuda or cpu;
# COMPILE=1: compile the networks; PYTHON: the interpreter.  PAIRS: drawings to evaluate on, else held-out ones; LIMIT: how many
# of them (20; 0: none).
set -eu
if [ $# -lt 2 ]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
mkdir -p "$1"
out=$(cd "$1" && pwd)
minutes=$2
shift 2
parts=${*:-flats}
root=$(cd "$(dirname "$0")/.." && pwd)
export PYTHONPATH="$root${PYTHONPATH:+:$PYTHONPATH}"
work=${WORK:-$root/runs/gpu}
mkdir -p "$work"
work=$(cd "$work" && pwd)
python=${PYTHON:-python3}
cores=$(env -u OMP_NUM_THREADS nproc)
pack=${PACK:-$root/.gpu}
rm -f "$out"/result.tar.* "$out"/sheet.png "$out"/evaluation.txt "$out"/report.tar.gz
validation='import os, sys
from pathlib import Path
from backend.training.synthetic.mixture import Folders
from backend.training.synthetic.shards import render_validation
given = [os.environ.get(name) for name in ("MODELS3D", "PANELS")]
render_validation(Path(sys.argv[1]), Folders(*(Path(folder) if folder else None for folder in given)))'

log() { echo "== $*"; }

run() {
    if [ -d "$pack" ]; then
        site=$("$python" -m backend.training.offline_packages unpack "$pack" "$work/site")
        export PYTHONPATH="$PYTHONPATH${site:+:$site}"
    fi
    if ! "$python" -m backend.training.offline_packages check; then
        echo "Pack them with scripts/pack_for_gpu.sh where there is a network, and carry the pieces here." >&2
        return 3
    fi
    if [ -n "${MODELS3D:-}" ] && ! "$python" -c 'import moderngl; moderngl.create_context(standalone=True, backend="egl")'; then
        echo "EGL is missing here, which draws MODELS3D: install libegl1 and libgl1, or leave MODELS3D out."
        return 3
    fi
    device=${DEVICE:-$("$python" -c 'import torch; print("cuda" if torch.cuda.is_available() else "cpu")')}
    log "$device, $cores cores, $minutes minutes for: $parts"
    if [ "$device" = cuda ]; then batch=${BATCH:-128} workers=${WORKERS:-$((cores > 4 ? cores - 4 : 1))}; else
        batch=${BATCH:-16} workers=${WORKERS:-0}; fi

    cache=${CACHE:-$work/cache}
    if [ -z "${CACHE:-}" ]; then
        log "drawing"
        sets=${SETS:-$((cores * 500 > 2000 ? cores * 500 : 2000))}
        per=$((sets / cores / 4 + 1))
        # only whole shards count: one that is not finished when the time is up is drawn again in the next call
        [ -n "${PAIRS:-}" ] || OMP_NUM_THREADS=1 "$python" -c "$validation" "$work/shards" &
        OMP_NUM_THREADS=1 timeout "$(seconds "${DRAWING_MINUTES:-3}")" "$python" -m backend.training.cli drawings render \
            --no-held-out --out "$work/shards" --sets "$sets" --per-shard "$((per < 250 ? per : 250))" --workers "$cores" \
            ${MODELS3D:+--models3d "$MODELS3D"} ${PANELS:+--panels "$PANELS"} || [ $? = 124 ]
        wait $!
        if ! ls "$work"/shards/train_*.npz > /dev/null 2>&1; then
            echo "no shard was finished in DRAWING_MINUTES=${DRAWING_MINUTES:-3}; give it more."
            return 4
        fi
        log "cutting the drawings into regions"
        OMP_NUM_THREADS=1 "$python" -m backend.training.cli prepare "$work/shards" --cache "$cache" --workers "$cores"
    fi

    start=$root/backend/data/mini
    if [ -n "${FROM:-}" ]; then
        rm -rf "$work/from" && mkdir "$work/from"
        cat "$FROM"/result.tar.* | tar x -C "$work/from"
        start=$work/from/model
    fi
    [ "${START:-}" = none ] && start=
    set --
    for part in $parts; do
        if [ ! -d "$work/$part/checkpoint" ] && [ -n "$start" ] && [ -d "$work/from/checkpoints/$part" ]; then
            mkdir -p "$work/$part" && cp -r "$work/from/checkpoints/$part" "$work/$part/checkpoint"
        fi
        if [ "$part" = painted ]; then
            log "warping references with the flats network, which the painted network learns from"
            flats=
            [ ! -d "$work/flats/checkpoint" ] || flats=$work/flats
            "$python" -m backend.training.cli precompute-warps --cache "$cache" --device "$device" ${flats:+--flats "$flats"} ${start:+--base "$start"}
        fi
        log "training $part"
        "$python" -m backend.training.cli "$part" --cache "$cache" --run "$work/$part" --device "$device" \
            --extra-minutes "$(echo "$minutes" "$(echo "$parts" | wc -w)" | awk '{ print $1 / $2 }')" ${start:+--start "$start"} \
            --batch-size "$batch" --workers "$workers" --learning-rate "${RATE:-4e-4}" ${COMPILE:+--compile}
        set -- "$@" "--$part" "$work/$part"
    done
    rm -rf "$work/models"
    "$python" -m backend.training.cli export "$work/models/mini" "$@" ${start:+--base "$start"}

    collect
    [ "${LIMIT:-20}" != 0 ] || return 0
    log "evaluating"
    evaluate | tee "$out/evaluation.txt"
    tar czf "$out/report.tar.gz" -C "$work" report
    [ "$(stat -c %s "$out/report.tar.gz")" -le 4000000 ] || { rm "$out/report.tar.gz"; echo "the report is over 4 MB: left in WORK"; }
}

seconds() { echo "$1" | awk '{ print int($1 * 60) }'; }

# Evaluate on PAIRS, else on the held-out drawings that were made along with the others.
evaluate() {
    for pairs in ${PAIRS:-"$work"/shards/val_*.npz}; do
        [ -e "$pairs" ] || { echo "no drawings to evaluate on" && continue; }
        echo "$pairs"
        "$python" -m backend.evaluation.cli --pairs "$pairs" --out "$work/report/$(basename "$pairs" .npz)" \
            --models "$work/models" --limit "${LIMIT:-20}"
    done
}

# Collect model, logs and the checkpoints that fit, and split them into pieces for a transfer of small files.
collect() {
    rm -rf "$work/result" && mkdir -p "$work/result/logs" "$work/result/checkpoints"
    cp -r "$work/models/mini" "$work/result/model"
    for part in $parts; do
        mkdir "$work/result/logs/$part"
        cp -r "$work/$part/log.csv" "$work/$part"/curves "$work/result/logs/$part/"
        last=$(ls "$work/$part"/sheets/*.png 2>/dev/null | tail -n 1)
        [ -z "$last" ] || cp "$last" "$work/result/logs/$part/sheet.png"
    done
    for part in $parts; do
        cp -r "$work/$part/checkpoint" "$work/result/checkpoints/$part"
        if [ "$(du -sb "$work/result" | cut -f 1)" -gt 57000000 ]; then
            rm -r "$work/result/checkpoints/$part"
            echo "the checkpoint of $part is too large to travel and stays in WORK; other machines continue from the model"
        fi
    done
    for part in $parts; do [ ! -e "$work/result/logs/$part/sheet.png" ] || cp "$work/result/logs/$part/sheet.png" "$out/"; done
    tar cf - -C "$work/result" . | split -b 16000000 -d - "$out/result.tar."
    du -sk "$out" | awk '{ print "results: " $1 " KiB" }'
}

# A plain shell does not know the exit status of the command before a pipe, so it is passed in a file.
{
    set +e
    (
        set -e
        run
    )
    echo $? > "$work/status"
} 2>&1 | tee "$out/train.log"
exit "$(cat "$work/status")"
