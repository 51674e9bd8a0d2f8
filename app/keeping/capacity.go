package keeping

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// What a cell can be full of.
const (
	ByStores      = "stores"      // schemas, against the most that the cell may hold
	ByBytes       = "bytes"       // its database, against what it is given
	ByConnections = "connections" // to its server, against those that it takes
)

// Capacity is how full a cell is of something.
type Capacity struct {
	Cell, By string
	Used     float64
	Most     float64   // 0 where nobody said
	Daily    float64   // growth by the line of the last month
	Full     time.Time // by that line; zero for a cell that does not grow, or whose bound is not known
}

// window is how many days the line goes back, and least by how much a cell grows a day at least.
const window = 30

var least = map[string]float64{ByStores: 0.01, ByBytes: 1 << 20, ByConnections: 0.01}

const (
	// measureCell asks a cell for what it takes. What is counted of all databases of its server,
	// everybody may see; reserved connections are not the program's.
	measureCell = `select pg_database_size(current_database()), (select sum(numbackends) from pg_stat_database)::int,
		current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int`

	noteSize = `
insert into cell_sizes (cell, day, schemas, bytes, connections, connections_max)
select $1, $2::date, (select count(*) from schemas where cell = $1 and state not in ('retired', 'ready')), $3, $4, $5
on conflict (cell, day) do update set schemas = excluded.schemas, bytes = excluded.bytes,
	connections = greatest(cell_sizes.connections, excluded.connections), connections_max = excluded.connections_max`

	// selectCapacity draws a line through the days of the window.
	selectCapacity = `
select c.name, l.schemas::float8, c.max_stores::float8, coalesce(r.schemas, 0)::float8, l.bytes::float8, coalesce(r.bytes, 0)::float8,
	l.connections::float8, l.connections_max::float8, coalesce(r.connections, 0)::float8
from cells c
join lateral (select * from cell_sizes z where z.cell = c.name order by day desc limit 1) l on true
left join lateral (
	select regr_slope(schemas, n) as schemas, regr_slope(bytes, n) as bytes, regr_slope(connections, n) filter (where connections_max > 0) as connections
	from (select *, day - date '2020-01-01' as n from cell_sizes z where z.cell = c.name and day > current_date - $1::int) d) r on true
where c.open order by 1`
)

// Measure writes down how full the cells are today.
func (k *Keeper) Measure(ctx context.Context) error {
	var errs []error
	for _, name := range k.DB.Cells() {
		var bytes int64
		var connections, most int
		err := k.DB.InCell(ctx, name, func(ctx context.Context, tx *postgres.Tx) error {
			return tx.QueryRow(ctx, measureCell).Scan(&bytes, &connections, &most)
		})
		if err == nil {
			err = k.exec(ctx, noteSize, name, clock.Now().UTC(), bytes, connections, most)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("measure cell %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// Capacity is the report of how full each open cell is, of everything that it can be full of,
// and when it will be if it goes on to grow as in the last month.
func (k *Keeper) Capacity(ctx context.Context) (list []Capacity, err error) {
	err = k.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, selectCapacity, window)
		if err != nil {
			return err
		}
		var cell string
		stores, bytes, connections := Capacity{By: ByStores}, Capacity{By: ByBytes}, Capacity{By: ByConnections}
		into := []any{&cell, &stores.Used, &stores.Most, &stores.Daily, &bytes.Used, &bytes.Daily, &connections.Used, &connections.Most, &connections.Daily}
		_, err = pgx.ForEachRow(rows, into, func() error {
			bytes.Most = float64(k.CellBytes(cell))
			for _, c := range []Capacity{stores, bytes, connections} {
				c.Cell = cell
				list = append(list, c.forecast())
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("report how full cells are: %w", err)
	}
	return list, nil
}

// forecast says when it will be full.
func (c Capacity) forecast() Capacity {
	switch left := c.Most - c.Used; {
	case c.Most <= 0:
	case left <= 0:
		c.Full = clock.Now()
	case c.Daily > least[c.By]:
		days := math.Min(left/c.Daily, 100*365)
		c.Full = clock.Now().Add(time.Duration(days * 24 * float64(time.Hour)))
	}
	return c
}
