package imports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/stoacommerce/stoa/commerce/catalog"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/files"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// maxBatchRows bounds a batch beside its products.
const maxBatchRows = 500

// tries is how often a batch is tried that others got in the way of.
const tries = 3

var (
	// errMoved says that the operation has ended, or that another worker goes on with it.
	errMoved = errors.New("the operation has moved on")
	// errMeanwhile says that somebody made or deleted what was to be made or changed.
	errMeanwhile = errors.New("a product was made or deleted meanwhile")
)

// run is a slice of the work on an operation.
type run struct {
	drafter
	service    *Service
	id         string
	reader     *reader
	categories map[string]catalog.CategoryID // of what was committed
	until      time.Time
}

// Work does a slice of an operation in the context's store, and asks for the next. It can
// be done again, by several at a time too: each batch goes on where the last one that was
// committed ended.
func (s *Service) Work(ctx context.Context, id string, attempt int) error {
	err := s.work(ctx, id)
	if err == nil || attempt < jobs.MaxAttempts || ctx.Err() != nil {
		return err
	}
	// There is no other try: whoever waits for the operation is told.
	return errors.Join(err, s.stop(ctx, id, message(Error, "internal_error", "", "The import broke off, because of a fault on our side.")))
}

func (s *Service) work(ctx context.Context, id string) error {
	until := time.Now().Add(s.config.Slice)
	var o *operation
	var currency string
	err := s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		var err error
		if o, err = read(ctx, tx, id, false); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `select currency from settings where id = 1`).Scan(&currency)
	})
	if problem.Is(err, "not_found") || err == nil && o.final() {
		return nil
	}
	if err != nil {
		return err
	}
	ctx = o.as(ctx)
	if o.State == Queued {
		begun, err := s.begin(ctx, id)
		if err != nil {
			return err
		}
		if !begun {
			return jobs.Snooze(2 * time.Second)
		}
		if err := s.db.InStore(ctx, s.sweep); err != nil {
			s.log.WarnContext(ctx, "what former imports left behind is not swept", "error", err)
		}
	}
	file, err := s.files.Open(ctx, o.Input.Key)
	if errors.Is(err, files.ErrNotFound) {
		return s.stop(ctx, id, message(Error, "file_missing", "", "The file is not there any more."))
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	if o.Total == nil {
		if err := s.survey(ctx, id, file); err != nil {
			return s.unreadable(ctx, id, err)
		}
	}
	r := &run{service: s, id: id, categories: map[string]catalog.CategoryID{}, until: until}
	if r.reader, err = openReader(file, o.Checkpoint); err != nil {
		return s.unreadable(ctx, id, err)
	}
	r.drafter = drafter{table: r.reader.table, currency: currency, checkURL: s.checkURL}
	return s.unreadable(ctx, id, r.batches(ctx, o.Checkpoint))
}

// checkURL says why a picture cannot be fetched from an address.
func (s *Service) checkURL(address string) error {
	_, err := s.config.Egress.CheckURL(address)
	return err
}

// begin has a queued operation run, unless one that was asked for before it has not ended:
// imports of a store take turns, as they come. What has not been seen to for a while,
// because its job was set aside, holds up nobody.
func (s *Service) begin(ctx context.Context, id string) (begun bool, err error) {
	err = s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		// The operation's row before the settings', as by those who put batches in.
		if _, err := tx.Exec(ctx, `select from operations where id = $1 for update`, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `select from settings where id = 1 for no key update`); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `update operations set state = $3, started_at = $4, updated_at = $4 where id = $1 and state = $2 and not exists (
				select from operations where id <> $1 and (state = $3 or state = $2 and id < $1) and updated_at > $4::timestamptz - interval '5 minutes')`,
			id, Queued, Running, clock.Now())
		if err != nil {
			return err
		}
		if begun = tag.RowsAffected() == 1; begun {
			return nil
		}
		_, err = tx.Exec(ctx, `update operations set updated_at = $2 where id = $1`, id, clock.Now())
		return err
	})
	if err != nil {
		return false, fmt.Errorf("begin operation %s: %w", id, err)
	}
	return begun, nil
}

// survey counts the rows, and tells what is not used of the file.
func (s *Service) survey(ctx context.Context, id string, file io.ReadSeeker) error {
	r, err := openReader(file, 0)
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
		return s.stop(ctx, id, message(Error, "file_invalid", "", "A row of the file is larger than %d MB: a quotation mark may be missing.", maxRecord>>20))
	case why != nil && why.Code == "file_invalid":
		return s.stop(ctx, id, message(Error, why.Code, "", "%s", why.Detail))
	}
	return err
}

// stop ends an operation as failed, if it has not ended.
func (s *Service) stop(ctx context.Context, id string, why Message) error {
	return s.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		o, err := read(ctx, tx, id, true)
		if problem.Is(err, "not_found") || err == nil && o.final() {
			return nil
		}
		if err != nil {
			return err
		}
		return o.end(ctx, tx, Stopped, &why)
	})
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
			return r.finish(ctx, from)
		}
		over := time.Now().After(r.until)
		if err := r.put(ctx, from, groups, over); errors.Is(err, errMoved) {
			return nil
		} else if err != nil || over {
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
		handle := catalog.HandleOf(r.table.text(ahead.rows[0], colHandle))
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
	if err == nil || errors.Is(err, errMoved) || !aboutData(ctx, err) {
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

// aboutData says whether an error comes of what was to be written, and not of the
// database's being away or busy.
func aboutData(ctx context.Context, err error) bool {
	return ctx.Err() == nil && !inTheWay(err) && !postgres.Unreachable(err) && !problem.Is(err, "store_unavailable")
}

// inTheWay says whether others got in the way, so that the same may succeed once more.
func inTheWay(err error) bool {
	var refused *pgconn.PgError
	return errors.Is(err, errMeanwhile) ||
		errors.As(err, &refused) && (refused.Code == "40P01" || refused.Code == "40001" || refused.Code == "55P03" || refused.Code == "57014")
}

// try commits groups with their rows' fates and the place where to go on. With a reason
// to refuse, they fail for that.
func (r *run) try(ctx context.Context, from int64, groups []group, refusal error, over bool) error {
	for attempt := 1; ; attempt++ {
		made := map[string]catalog.CategoryID{}
		err := r.service.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			o, err := r.lock(ctx, tx, from)
			if err != nil {
				return err
			}
			if refusal != nil {
				r.refuse(groups, refusal)
			} else if err := (&batch{run: r, operation: o, made: made}).apply(ctx, tx, groups); err != nil {
				return err
			}
			if over {
				journal.Job(tx, JobWork, workArgs{r.id})
			}
			return o.record(ctx, tx, groups)
		})
		if err == nil {
			for key, id := range made {
				r.categories[key] = id
			}
			return nil
		}
		clear(r.categories) // one of them may be gone
		if !inTheWay(err) || attempt == tries {
			return err
		}
	}
}

// lock locks the operation, and makes sure that nobody has gone on with it.
func (r *run) lock(ctx context.Context, tx *postgres.Tx, from int64) (*operation, error) {
	o, err := read(ctx, tx, r.id, true)
	if problem.Is(err, "not_found") || err == nil && (o.State != Running || o.Checkpoint != from) {
		return nil, errMoved
	}
	return o, err
}

// refuse gives the rows of groups their fates without putting anything in.
func (r *run) refuse(groups []group, why error) {
	for _, g := range groups {
		if d := r.draft(g); d.handle != "" {
			(&plan{draft: d}).blame(why)
			d.refuse()
		}
	}
}

// finish ends an operation whose rows are all done.
func (r *run) finish(ctx context.Context, from int64) error {
	err := r.service.db.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		o, err := r.lock(ctx, tx, from)
		if err != nil {
			return err
		}
		return o.end(ctx, tx, Succeeded, nil)
	})
	if errors.Is(err, errMoved) {
		return nil
	}
	return err
}
