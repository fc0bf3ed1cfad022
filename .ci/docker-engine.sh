# shellcheck shell=bash
# A Docker engine with Compose and Buildx, on a Debian or Ubuntu that may have none of the three.
# Sourced by ./run, which sets CACHE (kept between runs).

DOCKER_ENGINE_PID=''

# Installs what is missing and starts an engine when none answers.
ensure_docker_engine() {
  if ! docker info >/dev/null 2>&1; then
    command -v dockerd >/dev/null || apt_install docker.io iptables
    # Where there is an init, the package has started it.
    docker info >/dev/null 2>&1 || start_docker_engine
  fi
  if ! docker compose version >/dev/null 2>&1 || ! docker buildx version >/dev/null 2>&1; then
    install_docker_plugins
  fi
  docker version --format 'Docker engine {{.Server.Version}}, client {{.Client.Version}}'
  docker compose version
  docker buildx version
}

start_docker_engine() {
  local root="$CACHE/docker" log="$CACHE/dockerd.log"
  mkdir -p "$root"
  echo "no Docker engine answers: starting one (data in $root, log in $log)"
  setsid dockerd --data-root "$root" --exec-root /run/facecast-docker \
    --pidfile /run/facecast-docker.pid >"$log" 2>&1 &
  DOCKER_ENGINE_PID=$!
  # dockerd says so in its log once its socket answers; `tail --pid` ends with it.
  if ! timeout 60 grep -q -m 1 'API listen on' \
    < <(tail --pid="$DOCKER_ENGINE_PID" -n +1 -F "$log" 2>/dev/null) || ! docker info >/dev/null; then
    tail -n 20 "$log" >&2
    echo 'the Docker engine does not start' >&2
    return 1
  fi
}

# Removes what no later run can use, and stops the engine if this run started it. The rest of its
# data stays for the next run.
stop_docker_engine() {
  docker image prune --force >/dev/null 2>&1
  docker builder prune --force --keep-storage 20GB >/dev/null 2>&1
  [ -n "$DOCKER_ENGINE_PID" ] || return 0
  kill "$DOCKER_ENGINE_PID" 2>/dev/null || return 0
  wait "$DOCKER_ENGINE_PID" 2>/dev/null || true
  DOCKER_ENGINE_PID=''
}

# Compose 2 and Buildx are packaged from Debian 13 on. Both need only libc6 >= 2.34, so on Debian 12
# they come from 13's archive, through an apt of its own that leaves the system's sources alone.
install_docker_plugins() {
  if [[ "$(candidate_version docker-compose)" == 2.* ]]; then
    apt_install docker-compose docker-buildx
    return
  fi
  local apt="$CACHE/apt-trixie" mirror
  # shellcheck disable=SC2016 # $(SITE) is apt's own notation
  mirror="$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Component: main' |
    head -n 1)"
  mkdir -p "$apt/lists/partial" "$apt/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" \
    >"$apt/sources.list"
  local options=(-o "Dir::Etc::SourceList=$apt/sources.list" -o 'Dir::Etc::SourceParts=/dev/null'
    -o "Dir::State::Lists=$apt/lists" -o "Dir::Cache=$apt" -o 'Dir::Cache::Archives=archives'
    -o 'APT::Sandbox::User=root' -o 'Acquire::Languages=none')
  apt-get "${options[@]}" -qq update
  (cd "$apt/archives" && apt-get "${options[@]}" -qq download docker-compose docker-buildx)
  apt_install "$apt"/archives/docker-compose_*.deb "$apt"/archives/docker-buildx_*.deb
}

candidate_version() {
  apt-cache policy "$1" | sed -n 's/^  Candidate: //p'
}

APT_LISTS_ARE_NEW=''

apt_install() {
  local sudo=()
  [ "$(id -u)" = 0 ] || sudo=(sudo -n)
  [ -n "$APT_LISTS_ARE_NEW" ] || "${sudo[@]}" apt-get update -qq
  APT_LISTS_ARE_NEW=1
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}
