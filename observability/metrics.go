package observability

import (
	"log/slog"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// NoPlan is the plan of requests that belong to no store.
const NoPlan = "none"

// MetricsConfig says what is known at start, so that every counter can start at zero.
// The zero value is usable.
type MetricsConfig struct {
	Version string // the program's version; "dev" when empty
	Commit  string // the commit it was built from; "unknown" when empty

	// Plans are the known plans beside NoPlan. A request of any other plan counts as
	// NoPlan's. Defaults to free, starter, growth and scale.
	Plans []string

	// Currencies start at zero in the business figures; others appear with their first
	// order. Defaults to EUR and USD.
	Currencies []string

	// BusiestStores is how many of the busiest stores are listed; 20 when zero.
	BusiestStores int

	// BusiestInterval is after how long the busiest stores are counted anew; a minute
	// when zero.
	BusiestInterval time.Duration
}

func (c MetricsConfig) withDefaults() MetricsConfig {
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.Commit == "" {
		c.Commit = "unknown"
	}
	if len(c.Plans) == 0 {
		c.Plans = []string{"free", "starter", "growth", "scale"}
	}
	if len(c.Currencies) == 0 {
		c.Currencies = []string{"EUR", "USD"}
	}
	if c.BusiestStores <= 0 {
		c.BusiestStores = 20
	}
	if c.BusiestInterval <= 0 {
		c.BusiestInterval = time.Minute
	}
	return c
}

// Metrics is everything that is counted, by theme. It is safe for concurrent use, and
// a test may make as many as it likes.
type Metrics struct {
	HTTP     *HTTPMetrics       // requests by operation, and their answers' contract
	Limiter  *LimiterMetrics    // decisions of the rate limiter
	Database *DatabaseMetrics   // pools and statements
	Cells    *CellMetrics       // the databases that hold stores
	Queue    *QueueMetrics      // outbox and jobs
	Webhooks *WebhookMetrics    // deliveries
	Payments *PaymentMetrics    // what providers tell
	Mail     *MailMetrics       // what went wrong in writing mails
	Domains  *DomainMetrics     // certificates
	Rates    *RateMetrics       // what carriers and tax services were asked
	Cache    *CacheMetrics      // hits and misses by cache
	Business *BusinessMetrics   // sign-ups, orders, revenue, checkouts
	Requests *RequestLogMetrics // what becomes of calls in the request log
	Keeping  *KeepingMetrics    // backups and regular tasks
	Stores   *BusiestStores     // the busiest stores, bounded

	registry *prometheus.Registry
}

// NewMetrics makes all metrics on a registry of their own.
func NewMetrics(c MetricsConfig) *Metrics {
	c = c.withDefaults()
	r := prometheus.NewRegistry()
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "stoa_build_info",
		Help: "Always 1; the labels say which build is running.",
	}, []string{"version", "commit", "go_version"})
	build.WithLabelValues(c.Version, c.Commit, runtime.Version()).Set(1)
	r.MustRegister(build,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))

	plans := slices.Compact(slices.Sorted(slices.Values(append([]string{NoPlan}, c.Plans...))))
	return &Metrics{
		HTTP:     newHTTPMetrics(r, plans),
		Limiter:  newLimiterMetrics(r),
		Database: newDatabaseMetrics(r),
		Cells:    newCellMetrics(r),
		Queue:    newQueueMetrics(r),
		Webhooks: newWebhookMetrics(r),
		Payments: newPaymentMetrics(r),
		Mail:     newMailMetrics(r),
		Domains:  newDomainMetrics(r),
		Rates:    newRateMetrics(r),
		Cache:    newCacheMetrics(r),
		Business: newBusinessMetrics(r, c.Currencies),
		Requests: newRequestLogMetrics(r),
		Keeping:  newKeepingMetrics(r),
		Stores:   newBusiestStores(r, c.BusiestStores, c.BusiestInterval, time.Now),
		registry: r,
	}
}

// Register adds a part's own collectors, for what has no typed method here.
// It panics when a metric of the same name exists, which is a mistake in the program.
func (m *Metrics) Register(cs ...prometheus.Collector) { m.registry.MustRegister(cs...) }

// Gatherer gives the present values, for tests.
func (m *Metrics) Gatherer() prometheus.Gatherer { return m.registry }

// Handler answers a scrape. A collector that fails is logged and left out; what the
// others know is still answered.
func (m *Metrics) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:      slog.NewLogLogger(log.Handler(), slog.LevelError),
		ErrorHandling: promhttp.ContinueOnError,
		Timeout:       10 * time.Second,
	})
}
