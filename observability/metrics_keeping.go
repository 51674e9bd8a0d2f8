package observability

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// KeepingMetrics shows how backups and regular tasks stand, as the control database has it:
// so every process that works on jobs shows the same, and a restart forgets nothing.
type KeepingMetrics struct {
	mu   sync.Mutex
	last Keeping

	swept, sweptBytes *prometheus.CounterVec
}

// Keeping is how it all stands.
type Keeping struct {
	Backups []BackupState
	// Test is the last test of restoring: nil while there was none.
	Test  *RestoreTestState
	Tasks []TaskState
	Cells []CapacityState
}

// CapacityState is how full a cell is of something: "stores", "bytes" or "connections".
type CapacityState struct {
	Cell, By string
	Used     float64
	Most     float64   // 0 where it is not known
	Full     time.Time // when it will be full; zero where it does not grow, or the most is not known
}

// BackupState is how one kind of backup stands: "full", "differential", "wal", "store" or
// "files".
type BackupState struct {
	Kind     string
	LastGood time.Time // zero for never
	Size     int64     // bytes that the last good ones take; below zero where there is no such figure
}

// RestoreTestState is how the tests of restoring went.
type RestoreTestState struct {
	LastGood time.Time // zero for never
	Good     bool      // the last one
}

// TaskState is how a regular task went.
type TaskState struct {
	Name     string
	LastGood time.Time // zero for never
	Took     time.Duration
	Failures int64
}

var (
	backupLast  = prometheus.NewDesc("stoa_backup_last_success_timestamp_seconds", "When the last good backup of the kind was made, of whatever is worst off; of the log and of stores, until when nothing is missing; 0 for never.", []string{"kind"}, nil)
	backupSize  = prometheus.NewDesc("stoa_backup_size_bytes", "What the last good backups of the kind added to where they are kept.", []string{"kind"}, nil)
	testLast    = prometheus.NewDesc("stoa_restore_test_last_success_timestamp_seconds", "When restoring was last tested with a good end; 0 for never.", nil, nil)
	testResult  = prometheus.NewDesc("stoa_restore_test_last_result", "1 when the last test of restoring ended well, 0 when it did not.", nil, nil)
	taskLast    = prometheus.NewDesc("stoa_task_last_success_timestamp_seconds", "When the regular task last ended well; 0 for never.", []string{"task"}, nil)
	taskTook    = prometheus.NewDesc("stoa_task_duration_seconds", "How long the regular task took when it last ran.", []string{"task"}, nil)
	taskFailed  = prometheus.NewDesc("stoa_task_failures_total", "How often the regular task has failed.", []string{"task"}, nil)
	cellIsFull  = prometheus.NewDesc("stoa_cell_full_at_timestamp_seconds", "When the cell will be full if it goes on to grow as in the last month, by what: stores, bytes or connections.", []string{"cell", "by"}, nil)
	cellUsed    = prometheus.NewDesc("stoa_cell_used", "What the cell had in use when it was last measured, by what; of connections the most of the day.", []string{"cell", "by"}, nil)
	cellMost    = prometheus.NewDesc("stoa_cell_used_max", "What the cell may have in use, by what, where that is known.", []string{"cell", "by"}, nil)
	keepingDesc = []*prometheus.Desc{backupLast, backupSize, testLast, testResult, taskLast, taskTook, taskFailed, cellIsFull, cellUsed, cellMost}
)

func newKeepingMetrics(r prometheus.Registerer) *KeepingMetrics {
	m := &KeepingMetrics{
		swept:      counters(r, "stoa_orphans_swept_total", "What was swept that nothing owned, by kind: files, archives, copies beside stores.", "kind"),
		sweptBytes: counters(r, "stoa_orphans_swept_bytes_total", "The bytes of files that were swept as nothing owned them, by kind.", "kind"),
	}
	r.MustRegister(m)
	return m
}

// Swept counts what was swept of a kind; with nothing, the kind is shown from the start.
func (m *KeepingMetrics) Swept(kind string, n, bytes int64) {
	m.swept.WithLabelValues(kind).Add(float64(n))
	m.sweptBytes.WithLabelValues(kind).Add(float64(bytes))
}

// Stands shows how it all stands now.
func (m *KeepingMetrics) Stands(now Keeping) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last = now
}

// Describe implements prometheus.Collector.
func (m *KeepingMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range keepingDesc {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (m *KeepingMetrics) Collect(to chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	for _, b := range m.last.Backups {
		gauge(backupLast, seconds(b.LastGood), b.Kind)
		if b.Size >= 0 {
			gauge(backupSize, float64(b.Size), b.Kind)
		}
	}
	if t := m.last.Test; t != nil {
		gauge(testLast, seconds(t.LastGood))
		result := 0.0
		if t.Good {
			result = 1
		}
		gauge(testResult, result)
	}
	for _, t := range m.last.Tasks {
		gauge(taskLast, seconds(t.LastGood), t.Name)
		gauge(taskTook, t.Took.Seconds(), t.Name)
		to <- prometheus.MustNewConstMetric(taskFailed, prometheus.CounterValue, float64(t.Failures), t.Name)
	}
	for _, c := range m.last.Cells {
		gauge(cellUsed, c.Used, c.Cell, c.By)
		if c.Most > 0 {
			gauge(cellMost, c.Most, c.Cell, c.By)
		}
		if !c.Full.IsZero() {
			gauge(cellIsFull, seconds(c.Full), c.Cell, c.By)
		}
	}
}

// seconds is an instant as Prometheus has it; 0 for never.
func seconds(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return float64(at.UnixMilli()) / 1000
}
