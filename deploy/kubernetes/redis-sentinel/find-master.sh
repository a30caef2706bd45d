# Sourced by the other two: sets `me` and `master`. Who is master is the sentinels' word; while none answers, what this
# pod's sentinel has written down counts; at the very first start nobody knows anything, and pod 0 begins.
service=gatehouse-redis
me="$POD_NAME.$service"

asked() {
  for i in 0 1 2; do
    REDISCLI_AUTH="$REDIS_PASSWORD" timeout 3 redis-cli -h "$service-$i.$service" -p 26379 \
      sentinel get-master-addr-by-name mymaster 2>/dev/null | head -n 1
  done | grep "^$service-" | sort | uniq -c | sort -rn | sed -n '1s/^ *[0-9]* //p'
}

remembered() {
  sed -n 's/^sentinel monitor mymaster \([^ ]*\) .*/\1/p' "$DATA/sentinel.conf" 2>/dev/null | head -n 1
}

DATA=${DATA:-/data}
master=$(asked)
[ -n "$master" ] || master=$(remembered)
[ -n "$master" ] || master="$service-0.$service"
