#!/bin/sh
# Pack the Python packages that training needs for a GPU machine without network; scripts/train_on_gpu.sh unpacks them there.
#
#   scripts/pack_for_gpu.sh [PACK]
#
# PACK (default .gpu) gets PACK/00/piece, PACK/01/piece, ..., each small enough to travel beside this repository in TRAVELS
# bytes (64 MiB).  TARGET (3.12) is the Python of the other machine, PACKAGES are the packages it lacks; PyTorch, numpy, scipy
# and Pillow should be there.  Packages that the machine has are left alone.  PYTHON is the interpreter here.
set -eu
cd "$(dirname "$0")/.."
pack=${1:-.gpu}
python=${PYTHON:-python3}
packages=${PACKAGES:-opencv-python-headless numba llvmlite scikit-image imageio tifffile lazy-loader lazy-importer diffusers
    importlib-metadata zipp regex filelock requests urllib3 certifi idna charset-normalizer accelerate safetensors psutil packaging
    typer rich markdown-it-py mdurl pygments shellingham annotated-doc click typing-extensions moderngl glcontext
    pydantic pydantic-core annotated-types typing-inspection huggingface-hub httpx2 httpcore2 truststore h11 anyio tqdm pyyaml
    fsspec}
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT

platforms=
for number in 39 35 34 31 28 27 26 24 17; do platforms="$platforms --platform manylinux_2_${number}_x86_64"; done
grep -v '^#' constraints.txt > "$wheels/pins"
# shellcheck disable=SC2086
"$python" -m pip download --quiet --no-deps --only-binary=:all: --python-version "${TARGET:-3.12}" --implementation cp \
    $platforms --platform manylinux2014_x86_64 --platform manylinux1_x86_64 -c "$wheels/pins" -d "$wheels" $packages

tree=$(git ls-files -z --cached --others --exclude-standard | xargs -0 -r stat -c %s 2>/dev/null | awk '{ n += $1 } END { print n }')
piece=$((${TRAVELS:-67108864} - tree - 2000000))
if [ "$piece" -lt 4000000 ]; then
    echo "the repository alone takes $tree bytes, which leaves too little for packages" >&2
    exit 1
fi
rm -rf "$pack"
count=$("$python" -m backend.training.offline_packages pack "$wheels" "$pack" "$piece")
du -sk "$pack"/* | awk '{ print $2 ": " $1 " KiB" }'
echo "$count pieces; carry one a call, all into $pack there, and then run scripts/train_on_gpu.sh"
