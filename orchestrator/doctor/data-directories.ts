/** Programs that write their data directory alone, by the last part of their image's name. */
const SINGLE_WRITERS = [
  ["postgres", /postgres|postgis|pgvector|timescaledb|citus|supabase/u],
  ["MySQL", /mysql|percona/u],
  ["MariaDB", /mariadb/u],
  ["MongoDB", /mongo/u],
  ["Redis", /redis|valkey|keydb|dragonfly/u],
  ["Elasticsearch", /elasticsearch|opensearch/u],
  ["RabbitMQ", /rabbitmq/u],
  ["Kafka", /kafka|redpanda/u],
  ["ZooKeeper", /zookeeper/u],
  ["etcd", /etcd/u],
  ["InfluxDB", /influxdb/u],
  ["ClickHouse", /clickhouse/u],
  ["Cassandra", /cassandra|scylla/u],
  ["CouchDB", /couchdb/u],
  ["Neo4j", /neo4j/u],
  ["Prometheus", /prometheus|victoria-?metrics/u],
  ["Grafana", /^grafana$/u],
  ["SQLite", /sqlite/u],
  ["SQL Server", /mssql|sqlserver/u],
] as const;

/** Where they keep it, whatever the image is called. */
const DATA_PATHS = [
  ["postgres", /^\/var\/lib\/postgres(?:ql)?(?:\/|$)|^\/bitnami\/postgresql(?:\/|$)/u],
  ["MySQL or MariaDB", /^\/var\/lib\/mysql(?:\/|$)|^\/bitnami\/(?:mysql|mariadb)(?:\/|$)/u],
  ["MongoDB", /^\/data\/db(?:\/|$)/u],
  ["Redis", /^\/var\/lib\/redis(?:\/|$)/u],
  ["Elasticsearch", /^\/usr\/share\/elasticsearch\/data(?:\/|$)/u],
  ["RabbitMQ", /^\/var\/lib\/rabbitmq(?:\/|$)/u],
  ["Kafka", /^\/var\/lib\/kafka(?:\/|$)/u],
  ["etcd", /^\/(?:var\/lib\/etcd|etcd-data)(?:\/|$)/u],
  ["InfluxDB", /^\/var\/lib\/influxdb2?(?:\/|$)/u],
  ["ClickHouse", /^\/var\/lib\/clickhouse(?:\/|$)/u],
  ["Cassandra", /^\/var\/lib\/cassandra(?:\/|$)/u],
  ["Prometheus", /^\/prometheus(?:\/|$)/u],
  ["Grafana", /^\/var\/lib\/grafana(?:\/|$)/u],
  ["SQL Server", /^\/var\/opt\/mssql(?:\/|$)/u],
] as const;

/** A directory of data, in which an image of such a program keeps it. */
const DATA_WORDS = /(?:^|\/)(?:data|db|database|storage|lib|bitnami)(?:\/|$)/u;

/** The program whose data directory this is, which no second one may write; undefined: none that is known. */
export function dataOwner(target: string, image: string | undefined): string | undefined {
  const byPath = DATA_PATHS.find(([, path]) => path.test(target))?.[0];
  if (byPath !== undefined) return byPath;
  if (!DATA_WORDS.test(target)) return undefined;
  const name = lastPart(image ?? "");
  return SINGLE_WRITERS.find(([, pattern]) => pattern.test(name))?.[0];
}

/** Sockets and the kernel's files, which any number may open. */
export function isShared(source: string): boolean {
  return /\.sock$|^\/(?:dev|proc|sys|etc\/localtime|run\/user)(?:\/|$)/u.test(source);
}

/** `postgres` of `registry.example/library/postgres:16@sha256:…`. */
function lastPart(image: string): string {
  const path = image.split("@", 1)[0] ?? "";
  return (path.split("/").at(-1) ?? "").split(":", 1)[0]?.toLowerCase() ?? "";
}
