package domains

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/certificates"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// The kinds of jobs, and how often those domains are looked for that are due.
const (
	JobCheck   = "domain.check"   // looks a domain up
	JobCertify = "domain.certify" // gets its certificate
	JobDue     = "domains.due"
	dueEvery   = time.Minute
)

// job is which domain a job is about.
type job struct {
	ID string `json:"id"`
}

// Register has the workers look after domains.
func (s *Service) Register(w *jobs.Workers) {
	w.HandleSlow(JobCheck, jobs.With(func(ctx context.Context, j job) error { return s.Check(itself(ctx), j.ID) }))
	w.HandleSlow(JobCertify, jobs.With(func(ctx context.Context, j job) error { return s.Certify(itself(ctx), j.ID) }))
	w.Every(JobDue, dueEvery, s.Due)
}

// itself has the audit say that the platform acts.
func itself(ctx context.Context) context.Context {
	who := principal.From(ctx)
	who.Kind, who.Label = principal.System, "domains"
	return principal.With(ctx, who)
}

const (
	// takeDue puts off what is taken, so that it is looked for again should its job be lost.
	takeDue = `
with due as (
	select d.id from domains d join stores s on s.id = d.store_id and s.status <> 'deleted'
	where d.check_at <= now() order by d.check_at limit 500 for update of d skip locked
)
update domains d set check_at = now() + interval '15 minutes' from due where d.id = due.id returning d.id`

	forgetOrders = `delete from certificate_orders where at < now() - interval '1 day'`
)

// Due has the domains looked up whose time has come.
func (s *Service) Due(ctx context.Context) error {
	err := s.config.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, takeDue)
		if err != nil {
			return err
		}
		due, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, id := range due {
			journal.Job(tx, JobCheck, job{id})
		}
		_, err = tx.Exec(ctx, forgetOrders)
		return err
	})
	if err != nil {
		return fmt.Errorf("look for domains that are due: %w", err)
	}
	return nil
}

// Check looks a domain up and does what follows from it.
func (s *Service) Check(ctx context.Context, id string) error {
	var d Domain
	err := s.config.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) (err error) {
		d, err = scan(tx.QueryRow(ctx, selectDomain, id))
		return err
	})
	if err == nil {
		seen := s.Look(ctx, d.Name)
		err = s.config.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			_, err := s.judge(ctx, tx, d.StoreID, id, seen)
			return err
		})
	}
	switch {
	case errors.Is(err, postgres.ErrNoRows) || problem.Is(err, "not_found") || problem.Is(err, "domain_taken"):
		return nil // it was given up meanwhile, or another store was quicker
	case err != nil:
		return fmt.Errorf("check domain %s: %w", id, err)
	}
	return nil
}

const (
	selectSerials = `select d.name, c.serial from certificates c join domains d on d.id = c.domain_id where d.state in ('active', 'failing')`
	selectKeyed   = `select d.id, c.chain, c.key_sealed from certificates c join domains d on d.id = c.domain_id where d.name = $1 and d.state in ('active', 'failing')`

	layEvery = time.Minute
)

// LayDown keeps a folder in step with the certificates of the domains that are served, until ctx
// ends: at once where it is told of a change, and every minute.
func (s *Service) LayDown(ctx context.Context, folder *certificates.Folder) {
	changed := make(chan struct{}, 1)
	defer s.config.Bus.Subscribe(topicCertificates, func(string) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})()
	ticker := time.NewTicker(layEvery)
	defer ticker.Stop()
	for {
		if err := s.layDown(ctx, folder); err != nil && ctx.Err() == nil {
			s.config.Log.ErrorContext(ctx, "certificates are not all where they are to be", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-ticker.C:
		}
	}
}

func (s *Service) layDown(ctx context.Context, folder *certificates.Folder) error {
	serials := map[string]string{}
	err := s.config.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, selectSerials)
		if err != nil {
			return err
		}
		var name, serial string
		_, err = pgx.ForEachRow(rows, []any{&name, &serial}, func() error {
			serials[name] = serial
			return nil
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("list certificates: %w", err)
	}
	return folder.Keep(serials, func(name string) (content []byte, err error) {
		err = s.config.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			var id string
			var sealed []byte
			if err := tx.QueryRow(ctx, selectKeyed, name).Scan(&id, &content, &sealed); err != nil {
				return err
			}
			key, err := s.config.Sealer.Open(sealed, KeyBinding(id))
			content = append(content, key...)
			return err
		})
		return content, err
	})
}
