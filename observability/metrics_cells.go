package observability

import "github.com/prometheus/client_golang/prometheus"

// CellMetrics shows the databases that hold stores.
type CellMetrics struct {
	up, stores, capacity, ready *prometheus.GaugeVec
	cells                       *observers[CellObserver]
}

func newCellMetrics(r prometheus.Registerer) *CellMetrics {
	m := &CellMetrics{
		up: gauges(r, "stoa_cell_up",
			"1 while this process reaches the cell's database.", "cell"),
		stores: gauges(r, "stoa_cell_stores",
			"Store schemas in use in the cell, sandboxes included.", "cell"),
		capacity: gauges(r, "stoa_cell_stores_max",
			"Store schemas that the cell may hold.", "cell"),
		ready: gauges(r, "stoa_cell_ready_schemas",
			"Schemas kept ready in the cell for new stores.", "cell"),
	}
	m.cells = newObservers(func(cell string) *CellObserver {
		return &CellObserver{
			up:       m.up.WithLabelValues(cell),
			stores:   m.stores.WithLabelValues(cell),
			capacity: m.capacity.WithLabelValues(cell),
			ready:    m.ready.WithLabelValues(cell),
		}
	})
	return m
}

// Cell gives the observer of one cell. A cell counts as down until Up says otherwise.
func (m *CellMetrics) Cell(name string) *CellObserver { return m.cells.get(name) }

// CellObserver shows the state of one cell.
type CellObserver struct{ up, stores, capacity, ready prometheus.Gauge }

// Up says whether the cell's database answers.
func (o *CellObserver) Up(up bool) { set(o.up, up) }

// Stores says how many schemas are in use, and how many may be.
func (o *CellObserver) Stores(used, most int) {
	o.stores.Set(float64(used))
	o.capacity.Set(float64(most))
}

// ReadySchemas says how many schemas wait for a new store.
func (o *CellObserver) ReadySchemas(n int) { o.ready.Set(float64(n)) }
