#!/bin/sh
# What every image with Python in it is built by. Packages and our code lie apart, so that a new
# version of the code is a small layer over gigabytes that stay.
#   install.sh packages LOCK   makes /opt/venv with what LOCK pins by hash
#   install.sh streamer        makes /opt/code with this package, which /opt/venv sees
set -eu
tools=/opt/build/bin
export PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE=copy
uv_install() {
    "$tools/uv" pip install --quiet --no-deps --compile-bytecode --python /opt/venv/bin/python "$@"
}
case $1 in
packages)
    python -m venv /opt/build
    "$tools/pip" install --quiet --no-cache-dir --no-deps --require-hashes \
        --requirement requirements/images/build.txt
    python -m venv --without-pip /opt/venv
    uv_install --require-hashes --requirement "$2"
    /opt/venv/bin/python -c "import sysconfig; open(sysconfig.get_path('purelib') \
        + '/code.pth', 'w').write('/opt/code\n')"
    ;;
streamer)
    "$tools/pip" wheel --quiet --no-deps --no-build-isolation --wheel-dir /tmp/wheels .
    uv_install --offline --target /opt/code /tmp/wheels/*.whl
    ;;
esac
