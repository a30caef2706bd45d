set -eu
. /scripts/find-master.sh
# Kept on the disk, where Sentinel itself writes down what it learns.
if [ ! -s /data/sentinel.conf ]; then
  until getent hosts "$master" >/dev/null; do sleep 1; done
  cat >/data/sentinel.conf <<CONF
port 26379
dir /data
requirepass $REDIS_PASSWORD
sentinel sentinel-pass $REDIS_PASSWORD
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $me
sentinel monitor mymaster $master 6379 2
sentinel auth-pass mymaster $REDIS_PASSWORD
sentinel down-after-milliseconds mymaster 5000
sentinel failover-timeout mymaster 30000
sentinel parallel-syncs mymaster 1
CONF
fi
exec redis-server /data/sentinel.conf --sentinel
