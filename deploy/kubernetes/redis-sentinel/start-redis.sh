set -eu
. /scripts/find-master.sh
if [ "$master" = "$me" ]; then role=; else role="--replicaof $master 6379"; fi
# Configuration must not be evicted. A master that has lost both replicas refuses writes instead of losing them.
# shellcheck disable=SC2086
exec redis-server --dir /data --appendonly yes --maxmemory 768mb --maxmemory-policy noeviction \
  --requirepass "$REDIS_PASSWORD" --masterauth "$REDIS_PASSWORD" --replica-announce-ip "$me" \
  --min-replicas-to-write 1 --min-replicas-max-lag 10 $role
