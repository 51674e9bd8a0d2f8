package imports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/commerce/fields"
	"github.com/stoacommerce/stoa/commerce/operations"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// maxBatchRows bounds a batch beside its products.
const maxBatchRows = 500

// tries is how often a batch is tried that others got in the way of.
const tries = 3

// errMeanwhile says that somebody made or deleted what was to be made or changed.
var errMeanwhile = errors.New("a product was made or deleted meanwhile")

// run is a slice of the work on an operation.
type run struct {
	drafter
	service    *Service
	id         string
	preview    bool            // nothing is to come of it
	customers  bool            // it is of customers
	seen       map[string]bool // the e-mail addresses of those that this slice made
	reader     *reader
	categories map[string]catalog.CategoryID // of what was committed
	until      time.Time
}

// Work does a slice of an operation in the context's store, and asks for the next. It can
// be done again, by several at a time too: each batch goes on where the last one that was
// committed ended.
func (s *Service) Work(ctx context.Context, id string, attempt int) error {
	until := time.Now().Add(s.config.Slice)
	return s.operations.Work(ctx, id, attempt, func(ctx context.Context, o *operations.Operation) error {
		if o.State == operations.Queued { // it has just begun
			if err := s.db.InStore(ctx, s.sweep); err != nil {
				s.log.WarnContext(ctx, "what former imports left behind is not swept", "error", err)
			}
		}
		return s.unreadable(ctx, id, s.slice(ctx, o, until))
	})
}

func (s *Service) slice(ctx context.Context, o *operations.Operation, until time.Time) error {
	in, err := inputOf(o)
	if err != nil {
		return err
	}
	var currency string
	as := kinds[o.Kind]
	h := headings{sheet: as.sheet(), mapping: in.Mapping}
	err = s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		if err = tx.QueryRow(ctx, `select currency from settings where id = 1`).Scan(&currency); err == nil {
			h.defined, err = fields.Defined(ctx, tx, h.resources...)
		}
		return err
	})
	if err != nil {
		return err
	}
	file, err := s.files.Open(ctx, in.Key)
	if errors.Is(err, files.ErrNotFound) {
		return s.operations.Stop(ctx, o.ID, message(Error, "file_missing", "", "The file is not there any more."))
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	if o.Total == nil {
		if err := s.survey(ctx, o.ID, file, h); err != nil {
			return err
		}
	}
	r := &run{service: s, id: o.ID, preview: as.Preview, customers: as.Customers, seen: map[string]bool{}, categories: map[string]catalog.CategoryID{}, until: until}
	if r.reader, err = openReader(file, o.Checkpoint, h); err != nil {
		return err
	}
	r.drafter = drafter{table: r.reader.table, currency: currency, checkURL: s.checkURL}
	return r.batches(ctx, o.Checkpoint)
}

// checkURL says why a picture cannot be fetched from an address.
func (s *Service) checkURL(address string) error {
	_, err := s.config.Egress.CheckURL(address)
	return err
}

// survey counts the rows, and tells what is not used of the file.
func (s *Service) survey(ctx context.Context, id string, file io.ReadSeeker, h headings) error {
	r, err := openReader(file, 0, h)
	if err != nil {
		return err
	}
	rows := 0
	for ; ; rows++ {
		if _, err := r.next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("after row %d: %w", rows, err)
		}
		if rows >= s.config.MaxRows {
			return notCSV(fmt.Sprintf("The file has more than %d rows. Divide it into several.", s.config.MaxRows))
		}
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	return s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, `update operations set total = $2, messages = $3 where id = $1`, id, rows, messagesText(r.table.unused))
		return err
	})
}

// unreadable ends an operation whose file cannot be read any further.
func (s *Service) unreadable(ctx context.Context, id string, err error) error {
	why := problem.As(err)
	switch {
	case errors.Is(err, errTooLong):
		return s.operations.Stop(ctx, id, message(Error, "file_invalid", "", "A row of the file is larger than %d MB: a quotation mark may be missing.", maxRecord>>20))
	case why != nil && why.Code == "file_invalid":
		return s.operations.Stop(ctx, id, message(Error, why.Code, "", "%s", why.Detail))
	}
	return err
}

// batches puts one batch in after the other until the slice or the file ends.
func (r *run) batches(ctx context.Context, from int64) error {
	var ahead *group
	for {
		groups, next, err := r.collect(ahead)
		if err != nil {
			return err
		}
		if len(groups) == 0 {
			return r.service.operations.Finish(ctx, r.id, from)
		}
		over := time.Now().After(r.until)
		if err := r.put(ctx, from, groups, over); err != nil || over {
			return err
		}
		from, ahead = groups[len(groups)-1].end(), next
	}
}

// collect reads the groups of a batch, and the one after it. Products with the same
// handle come in different batches, so that the second finds the first.
func (r *run) collect(ahead *group) (groups []group, next *group, err error) {
	handles, rows := map[string]bool{}, 0
	for {
		if ahead == nil {
			g, err := r.reader.group()
			if errors.Is(err, io.EOF) {
				return groups, nil, nil
			}
			if err != nil {
				return nil, nil, err
			}
			ahead = &g
		}
		handle := r.named(ahead.rows[0])
		if len(groups) > 0 && (len(groups) >= r.service.config.Batch || rows+len(ahead.rows) > maxBatchRows || handle != "" && handles[handle]) {
			return groups, ahead, nil
		}
		handles[handle], rows, groups, ahead = true, rows+len(ahead.rows), append(groups, *ahead), nil
	}
}

// put puts a batch in. When that fails, its products are put in one by one, so that one
// which cannot be kept fails alone.
func (r *run) put(ctx context.Context, from int64, groups []group, over bool) error {
	err := r.try(ctx, from, groups, nil, over)
	if err == nil || errors.Is(err, errMeanwhile) || !operations.AboutData(ctx, err) {
		return err
	}
	if len(groups) == 1 {
		if problem.As(err) == nil {
			r.service.log.ErrorContext(ctx, "a product cannot be imported", "operation", r.id, "line", groups[0].rows[0].line, "error", err)
		}
		return r.try(ctx, from, groups, err, over)
	}
	for i := range groups {
		if err := r.put(ctx, from, groups[i:i+1], over && i == len(groups)-1); err != nil {
			return err
		}
		from = groups[i].end()
	}
	return nil
}

// try commits groups with their rows' fates and the place where to go on. With a reason
// to refuse, they fail for that.
func (r *run) try(ctx context.Context, from int64, groups []group, refusal error, over bool) error {
	for attempt := 1; ; attempt++ {
		made := map[string]catalog.CategoryID{}
		err := r.foresee(ctx, from, groups, refusal)
		if err == nil {
			err = r.service.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
				o, err := operations.Lock(ctx, tx, r.id, from)
				if err != nil {
					return err
				}
				if refusal != nil {
					r.refuse(groups, refusal)
				} else if r.preview {
					// what becomes of them is known
				} else if err := r.apply(ctx, tx, o, groups, made); err != nil {
					return err
				}
				if over {
					journal.Job(tx, JobWork, operations.Args{OperationID: r.id})
				}
				return record(ctx, tx, o, groups)
			})
		}
		if err == nil {
			for key, id := range made {
				r.categories[key] = id
			}
			return nil
		}
		clear(r.categories) // one of them may be gone
		if !operations.InTheWay(err) && !errors.Is(err, errMeanwhile) || attempt == tries {
			return err
		}
	}
}

// named is by what the thing of a row is known, for which there is one place in a batch.
func (r *run) named(of *row) string {
	if r.customers {
		return address.Email(r.table.text(of, colEmail))
	}
	return catalog.HandleOf(r.table.text(of, colHandle))
}

// apply puts groups in and gives their rows their fates. Categories that are found or made
// on the way are noted.
func (r *run) apply(ctx context.Context, tx *postgres.Tx, o *operations.Operation, groups []group, made map[string]catalog.CategoryID) error {
	if r.customers {
		return r.takePeople(ctx, tx, groups)
	}
	return (&batch{run: r, operation: o, made: made}).apply(ctx, tx, groups)
}

// refuse gives the rows of groups their fates without putting anything in.
func (r *run) refuse(groups []group, why error) {
	for _, g := range groups {
		if r.customers {
			g.rows[0].outcome, g.rows[0].messages = Failed, nil
			r.blamePerson(g.rows[0], why)
			continue
		}
		if d := r.draft(g); d.handle != "" {
			(&plan{draft: d}).blame(why)
			d.refuse()
		}
	}
}
