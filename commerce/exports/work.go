package exports

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// book is a part of a file while it is written.
type book struct {
	input
	out bytes.Buffer
	csv *csv.Writer
}

// row writes a row of a table.
func (b *book) row(cells []string) error { return b.csv.Write(cells) }

// line writes a line of JSON.
func (b *book) line(object []byte) {
	b.out.Write(object)
	b.out.WriteByte('\n')
}

// bytes are what has been written.
func (b *book) bytes() ([]byte, error) {
	b.csv.Flush()
	return b.out.Bytes(), b.csv.Error()
}

// price is an amount of the store's currency, as tables have it; blank where there is none.
func (b *book) price(amount *int64) string {
	if amount == nil {
		return ""
	}
	return money.New(*amount, b.Currency).Decimal()
}

// columns are the names of the columns of a resource's custom fields.
func (b *book) columns(resource fields.Resource) (names []string) {
	for _, d := range b.Fields {
		if d.Resource == resource {
			names = append(names, fmt.Sprintf("%s (%s.metafields.custom.%s)", d.Name, d.Resource, d.Key))
		}
	}
	return names
}

// values are the cells of a resource's custom fields.
func (b *book) values(resource fields.Resource, of fields.Values) (cells []string) {
	for _, d := range b.Fields {
		if d.Resource == resource {
			cells = append(cells, d.Format(of[d.Key]))
		}
	}
	return cells
}

// Work does a slice of an export in the context's store, and asks for the next. It can be
// done again, by several at a time too: each part begins where the last one that was
// noted ended.
func (s *Service) Work(ctx context.Context, id string, attempt int) error {
	until := time.Now().Add(s.config.Slice)
	return s.operations.Work(ctx, id, attempt, func(ctx context.Context, o *operations.Operation) error {
		if o.State == operations.Queued { // it has just begun
			if err := s.db.InStore(ctx, s.sweep); err != nil {
				return err
			}
			o.State = operations.Running
		}
		for more := true; more; {
			var err error
			if more, err = s.part(ctx, o, until); err != nil {
				return err
			}
		}
		return nil
	})
}

// part writes the next part of an export's file, and says whether there is more to be done
// in this slice.
func (s *Service) part(ctx context.Context, o *operations.Operation, until time.Time) (more bool, err error) {
	ref, ok := postgres.StoreFrom(ctx)
	if !ok {
		return false, postgres.ErrNoStore
	}
	b := &book{}
	if err := json.Unmarshal(o.Input, &b.input); err != nil {
		return false, fmt.Errorf("read the input of %s: %w", o.ID, err)
	}
	b.csv = csv.NewWriter(&b.out)
	after, n, end, err := s.fill(ctx, o, b, until)
	if err != nil {
		return false, err
	}
	data, err := b.bytes()
	if err != nil {
		return false, fmt.Errorf("write a part of %s: %w", o.ID, err)
	}
	key := fmt.Sprintf("%s%s.%s", folder(ref, o.ID), ids.New("part"), b.Format)
	if _, err := s.files.Put(ctx, key, bytes.NewReader(data), contentTypes[b.Format]); err != nil {
		return false, fmt.Errorf("store a part of %s: %w", o.ID, err)
	}
	over := !time.Now().Before(until)
	err = s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		now, err := operations.Lock(ctx, tx, o.ID, o.Checkpoint)
		if err != nil {
			return err
		}
		now.Checkpoint, now.Done = now.Checkpoint+1, now.Done+n
		now.File.Parts, now.File.Bytes, now.File.After = append(now.File.Parts, key), now.File.Bytes+int64(len(data)), after
		if end {
			now.File.ExpiresAt = clock.Now().Add(s.config.Keep)
		}
		if err := now.Save(ctx, tx); err != nil {
			return err
		}
		*o = *now
		if end {
			return s.operations.End(ctx, tx, o, operations.Succeeded, nil)
		}
		if over {
			journal.Job(tx, JobWork, operations.Args{OperationID: o.ID})
		}
		return nil
	})
	if errors.Is(err, operations.ErrMoved) {
		return false, errors.Join(err, s.files.Delete(context.WithoutCancel(ctx), key)) // another's part is noted
	}
	return err == nil && !end && !over, err
}

// fill writes things into a part until it is full, the slice or the things end. It gives
// what the next part goes on after.
func (s *Service) fill(ctx context.Context, o *operations.Operation, b *book, until time.Time) (after string, n int, end bool, err error) {
	write := things[Kind(o.Kind)].formats[b.Format]
	after = o.File.After
	if o.Checkpoint == 0 && b.Format == CSV {
		if err := b.row(headers[Kind(o.Kind)](b)); err != nil {
			return after, 0, false, fmt.Errorf("write the header of %s: %w", o.ID, err)
		}
	}
	for {
		var last string
		var got int
		err := s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
			last, got, err = write(ctx, tx, b, after, s.config.Batch)
			return err
		})
		if err != nil {
			return after, n, false, err
		}
		if n += got; got > 0 {
			after = last
		}
		b.csv.Flush()
		if end = got < s.config.Batch; end || b.out.Len() >= s.config.Part || !time.Now().Before(until) {
			return after, n, end, nil
		}
	}
}

// headers are the first rows of tables.
var headers = map[Kind]func(b *book) []string{Products: productHeader, Customers: customerHeader, Orders: orderHeader}
