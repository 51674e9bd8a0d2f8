package observability

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// JobOutcome is how one run of a job ended.
type JobOutcome int

// The ends of a job's run.
const (
	JobDone     JobOutcome = iota // it did what it should
	JobFailed                     // it failed and will be tried again
	JobSetAside                   // it failed for the last time and waits for an operator
	JobSnoozed                    // it asked to be run later: a paused store, a busy neighbour
)

var jobOutcomes = []string{"done", "failed", "set_aside", "snoozed"}

// QueueMetrics shows each cell's outbox and counts the runs of jobs.
type QueueMetrics struct {
	outboxDepth, outboxAge, waiting, setAside, sampled *prometheus.GaugeVec
	relayed                                            *prometheus.CounterVec
	jobs                                               *prometheus.CounterVec
	duration, delay                                    *prometheus.HistogramVec
	cells                                              *observers[QueueObserver]
	kinds                                              *observers[JobObserver]
	now                                                func() time.Time
}

func newQueueMetrics(r prometheus.Registerer) *QueueMetrics {
	m := &QueueMetrics{
		outboxDepth: gauges(r, "stoa_queue_outbox_depth",
			"Rows in the cell's outbox that no relay has taken yet.", "cell"),
		outboxAge: gauges(r, "stoa_queue_outbox_oldest_age_seconds",
			"Age of the oldest row in the cell's outbox, but for deliveries of webhooks.", "cell"),
		waiting: gauges(r, "stoa_queue_jobs_waiting",
			"Jobs in the cell that are due and wait for a worker.", "cell"),
		setAside: gauges(r, "stoa_queue_jobs_set_aside",
			"Jobs in the cell that failed for the last time and wait for an operator.", "cell"),
		sampled: gauges(r, "stoa_queue_measured_timestamp_seconds",
			"When a worker last measured the cell's queue; 0 where this process never did.", "cell"),
		relayed: counters(r, "stoa_queue_relayed_total",
			"Rows of the cell's outbox that became jobs.", "cell"),
		jobs: counters(r, "stoa_queue_jobs_total",
			"Runs of jobs, by kind and outcome.", "kind", "outcome"),
		duration: histograms(r, "stoa_queue_job_duration_seconds",
			"Time that a run of a job took, by kind.",
			[]float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300}, "kind"),
		delay: histograms(r, "stoa_queue_job_delay_seconds",
			"Time from when a job was due to when it began, by kind.",
			[]float64{.05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300, 1800}, "kind"),
		now: time.Now,
	}
	m.cells = newObservers(func(cell string) *QueueObserver {
		return &QueueObserver{
			depth: m.outboxDepth.WithLabelValues(cell), age: m.outboxAge.WithLabelValues(cell),
			waiting: m.waiting.WithLabelValues(cell), setAside: m.setAside.WithLabelValues(cell),
			sampled: m.sampled.WithLabelValues(cell), relayed: m.relayed.WithLabelValues(cell), now: m.now,
		}
	})
	m.kinds = newObservers(func(kind string) *JobObserver {
		return &JobObserver{
			outcomes: zeroed(m.jobs, jobOutcomes, kind),
			duration: m.duration.WithLabelValues(kind),
			delay:    m.delay.WithLabelValues(kind),
		}
	})
	return m
}

// Cell gives the observer of one cell's queue.
func (m *QueueMetrics) Cell(name string) *QueueObserver { return m.cells.get(name) }

// Kind gives the observer of one kind of jobs; registering a handler asks for it.
func (m *QueueMetrics) Kind(name string) *JobObserver { return m.kinds.get(name) }

// QueueState is what a worker finds when it measures a cell's queue.
type QueueState struct {
	OutboxDepth  int           // rows that no relay has taken yet
	OutboxOldest time.Duration // age of the oldest of them; 0 when there is none
	Waiting      int           // jobs that are due
	SetAside     int           // jobs that failed for the last time
}

// QueueObserver shows one cell's queue.
type QueueObserver struct {
	depth, age, waiting, setAside, sampled prometheus.Gauge
	relayed                                prometheus.Counter
	now                                    func() time.Time
}

// Measured shows what was found just now. A worker that stops measuring is noticed by
// the time that this leaves behind, so it must not be called with old figures.
func (o *QueueObserver) Measured(s QueueState) {
	o.depth.Set(float64(s.OutboxDepth))
	o.age.Set(s.OutboxOldest.Seconds())
	o.waiting.Set(float64(s.Waiting))
	o.setAside.Set(float64(s.SetAside))
	o.sampled.Set(float64(o.now().UnixMilli()) / 1000)
}

// Relayed counts rows of the outbox that became jobs.
func (o *QueueObserver) Relayed(rows int) { o.relayed.Add(float64(rows)) }

// JobObserver counts the runs of one kind of jobs.
type JobObserver struct {
	outcomes        []prometheus.Counter
	duration, delay prometheus.Observer
}

// Ran counts one run: how it ended, and unless that was at once, how late it began and
// how long it took.
func (o *JobObserver) Ran(outcome JobOutcome, delay, took time.Duration) {
	o.outcomes[outcome].Inc()
	if outcome == JobSnoozed {
		return // it has not begun yet
	}
	o.delay.Observe(max(delay, 0).Seconds())
	o.duration.Observe(took.Seconds())
}
