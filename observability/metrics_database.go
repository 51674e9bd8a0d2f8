package observability

import (
	"database/sql"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// PoolStats is the state of one pool of connections.
type PoolStats struct {
	Max   int           // connections it may open
	InUse int           // connections lent out
	Idle  int           // connections waiting for work
	Waits int64         // how often a caller had to wait for a connection
	Wait  time.Duration // how long callers waited, altogether
}

// PoolStatsOf is the state of a pool of database/sql.
func PoolStatsOf(s sql.DBStats) PoolStats {
	return PoolStats{Max: s.MaxOpenConnections, InUse: s.InUse, Idle: s.Idle, Waits: s.WaitCount, Wait: s.WaitDuration}
}

// PoolName says which pool of connections leads where.
type PoolName struct {
	Cell string // "control" for the platform's own database, "redis" for Redis
	Pool string // what it is for
}

// TransactionOutcome is how a transaction ended.
type TransactionOutcome int

// The ends of a transaction.
const (
	Committed TransactionOutcome = iota
	RolledBack
)

var transactionOutcomes = []string{"committed", "rolled_back"}

// DatabaseMetrics counts statements by the door through which they went, and shows the
// pools.
type DatabaseMetrics struct {
	statements   *prometheus.CounterVec
	duration     *prometheus.HistogramVec
	roundTrips   *prometheus.CounterVec
	transactions *prometheus.CounterVec
	wallRefusals prometheus.Counter
	doors        *observers[DoorObserver]
	pools        *poolCollector
}

func newDatabaseMetrics(r prometheus.Registerer) *DatabaseMetrics {
	m := &DatabaseMetrics{
		statements: counters(r, "stoa_db_statements_total",
			"SQL statements sent, by door and outcome.", "door", "outcome"),
		duration: histograms(r, "stoa_db_statement_duration_seconds",
			"Time from sending a SQL statement to its end, by door.",
			[]float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}, "door"),
		roundTrips: counters(r, "stoa_db_round_trips_total",
			"Round trips to a database, BEGIN and COMMIT included, by door.", "door"),
		transactions: counters(r, "stoa_db_transactions_total",
			"Transactions ended, by door and outcome.", "door", "outcome"),
		wallRefusals: counter(r, "stoa_db_wall_refusals_total",
			"Statements that the database refused because they reached beyond their store's wall (42501)."),
		pools: &poolCollector{},
	}
	m.doors = newObservers(func(door string) *DoorObserver {
		statements := zeroed(m.statements, []string{"ok", "error"}, door)
		return &DoorObserver{
			ok: statements[0], failed: statements[1],
			duration:     m.duration.WithLabelValues(door),
			roundTrips:   m.roundTrips.WithLabelValues(door),
			transactions: zeroed(m.transactions, transactionOutcomes, door),
		}
	})
	r.MustRegister(m.pools)
	return m
}

// Door gives the observer of one door: "store", "control" or "cell".
func (m *DatabaseMetrics) Door(name string) *DoorObserver { return m.doors.get(name) }

// WallRefused counts a statement refused by the wall between stores: a mistake in the
// program, each one.
func (m *DatabaseMetrics) WallRefused() { m.wallRefusals.Inc() }

// Pools shows pools of connections from now on. stats is called at each scrape and must
// not block; pools may come and go, and no two such functions may name the same pool.
func (m *DatabaseMetrics) Pools(stats func() map[PoolName]PoolStats) {
	m.pools.mu.Lock()
	defer m.pools.mu.Unlock()
	m.pools.sources = append(m.pools.sources, stats)
}

// DoorObserver counts what goes through one door.
type DoorObserver struct {
	ok, failed   prometheus.Counter
	duration     prometheus.Observer
	roundTrips   prometheus.Counter
	transactions []prometheus.Counter
}

// Statement counts one statement, and whether it failed.
func (o *DoorObserver) Statement(d time.Duration, failed bool) {
	o.count(failed)
	o.duration.Observe(d.Seconds())
}

func (o *DoorObserver) count(failed bool) {
	if failed {
		o.failed.Inc()
	} else {
		o.ok.Inc()
	}
}

// RoundTrip counts one round trip to the database.
func (o *DoorObserver) RoundTrip() { o.roundTrips.Inc() }

// Transaction counts the end of a transaction.
func (o *DoorObserver) Transaction(outcome TransactionOutcome) { o.transactions[outcome].Inc() }

var (
	poolConnections = prometheus.NewDesc("stoa_db_pool_connections",
		"Open connections of a pool, by whether they are in use.", []string{"cell", "pool", "state"}, nil)
	poolMax = prometheus.NewDesc("stoa_db_pool_connections_max",
		"Connections that a pool may open.", []string{"cell", "pool"}, nil)
	poolWaits = prometheus.NewDesc("stoa_db_pool_waits_total",
		"How often a caller had to wait for a connection.", []string{"cell", "pool"}, nil)
	poolWaitSeconds = prometheus.NewDesc("stoa_db_pool_wait_seconds_total",
		"Time that callers waited for a connection.", []string{"cell", "pool"}, nil)
)

// poolCollector asks for the pools' state when it is scraped.
type poolCollector struct {
	mu      sync.Mutex
	sources []func() map[PoolName]PoolStats
}

// Describe implements prometheus.Collector.
func (c *poolCollector) Describe(to chan<- *prometheus.Desc) {
	to <- poolConnections
	to <- poolMax
	to <- poolWaits
	to <- poolWaitSeconds
}

// Collect implements prometheus.Collector.
func (c *poolCollector) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	sources := slices.Clone(c.sources)
	c.mu.Unlock()
	for _, stats := range sources {
		for name, s := range stats() {
			collectPool(to, name, s)
		}
	}
}

func collectPool(to chan<- prometheus.Metric, name PoolName, s PoolStats) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, more ...string) {
		labels := append([]string{name.Cell, name.Pool}, more...)
		to <- prometheus.MustNewConstMetric(d, kind, value, labels...)
	}
	send(poolConnections, prometheus.GaugeValue, float64(s.InUse), "in_use")
	send(poolConnections, prometheus.GaugeValue, float64(s.Idle), "idle")
	send(poolMax, prometheus.GaugeValue, float64(s.Max))
	send(poolWaits, prometheus.CounterValue, float64(s.Waits))
	send(poolWaitSeconds, prometheus.CounterValue, s.Wait.Seconds())
}
