package stores

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Cell is a cell with its figures.
type Cell struct {
	Name      string
	Up        bool // it answers
	Accepting bool // new stores go there
	Stores    int  // taken schemas: sandboxes count
	Capacity  int
	Ready     int // schemas that wait for a store
	Logins    int

	used int // schemas of all sorts, which the capacity bounds
}

// selectCells lists the cells, the emptiest first.
const selectCells = `
select c.name, c.open, c.max_stores,
	count(s.number) filter (where s.state = 'taken'), count(s.number) filter (where s.state = 'ready'), count(s.number),
	(select count(*) from cell_logins l where l.cell = c.name)
from cells c left join schemas s on s.cell = c.name and s.state <> 'retired'
group by c.name
order by count(s.number) filter (where s.state = 'taken')::float / greatest(c.max_stores, 1), c.name`

// cells reads the figures without asking the cells themselves.
func (s *Service) cells(ctx context.Context) ([]Cell, error) {
	var list []Cell
	err := s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, selectCells)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c Cell
			if err := rows.Scan(&c.Name, &c.Accepting, &c.Capacity, &c.Stores, &c.Ready, &c.used, &c.Logins); err != nil {
				return err
			}
			list = append(list, c)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read cells: %w", err)
	}
	configured := s.db.Cells()
	for i := range list {
		list[i].Accepting = list[i].Accepting && slices.Contains(configured, list[i].Name)
	}
	return list, nil
}

// pingTime is how long a cell may take to say that it is there.
const pingTime = time.Second

// Cells are the cells with their figures, by name, each asked whether it is there.
func (s *Service) Cells(ctx context.Context) ([]Cell, error) {
	list, err := s.cells(ctx)
	if err != nil {
		return nil, err
	}
	var asked sync.WaitGroup
	for i := range list {
		asked.Go(func() { list[i].Up = s.ping(ctx, list[i].Name) })
	}
	asked.Wait()
	slices.SortFunc(list, func(a, b Cell) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return list, nil
}

// ping asks a cell whether it is there, and remembers when it is not.
func (s *Service) ping(ctx context.Context, cell string) bool {
	bounded, cancel := context.WithTimeout(ctx, pingTime)
	defer cancel()
	if err := s.db.PingCell(bounded, cell); err != nil {
		if ctx.Err() == nil {
			s.notReached(cell)
		}
		return false
	}
	s.mu.Lock()
	delete(s.down, cell)
	s.mu.Unlock()
	return true
}

// avoidFor is how long a cell that did not answer is passed over.
const avoidFor = 3 * time.Second

func (s *Service) notReached(cell string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down[cell] = time.Now().Add(avoidFor)
}

// avoided says whether a cell did not answer just now.
func (s *Service) avoided(cell string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Before(s.down[cell])
}

// outOfReach says whether err tells of a database that could not be reached in time,
// while the caller's own time is not over.
func outOfReach(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	p := problem.As(err)
	return errors.Is(err, context.DeadlineExceeded) || p != nil && (p.Kind == problem.Unavailable || p.Kind == problem.DeadlineExceeded)
}
