package keys

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/mail"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// JobExpiry is the kind of the job that looks for keys that will soon expire, and how often
// it does.
const (
	JobExpiry   = "keys.expiry"
	expiryEvery = time.Hour
)

// expirySQL takes keys that expire within a week, once each, with whom to write to: who made
// the key, as long as they belong to the store, or its owner. A key that was never meant to
// live for longer than that, or that has a successor already, is nobody's news.
const expirySQL = `
with due as (
	select k.id from api_keys k join stores s on s.id = k.store_id and s.status = 'active'
	where k.expires_at > now() and k.expires_at <= now() + interval '7 days' and k.expires_at - k.created_at > interval '8 days'
		and k.revoked_at is null and k.expiry_told_at is null and k.rotated_to is null
	order by k.expires_at limit 100 for update of k skip locked
)
update api_keys k set expiry_told_at = now() from due, stores s where k.id = due.id and s.id = k.store_id
returning k.id, k.store_id, k.name, k.prefix || '…' || k.last4, k.mode = 'test', k.expires_at, coalesce(
	(select a.email from accounts a join members m on m.account_id = a.id and m.store_id = k.store_id where a.id = k.created_by->>'id'),
	(select a.email from accounts a join members m on m.account_id = a.id and m.store_id = k.store_id where m.role = 'owner' order by m.created_at limit 1), '')`

// Register has the workers write to merchants whose keys will soon expire.
func (s *Service) Register(w *jobs.Workers) { w.Every(JobExpiry, expiryEvery, s.TellExpiry) }

// TellExpiry writes to merchants whose keys will expire within a week.
func (s *Service) TellExpiry(ctx context.Context) error {
	err := s.config.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, expirySQL)
		if err != nil {
			return err
		}
		data := mail.KeyExpiring{URL: s.config.Site.JoinPath("/docs").String()}
		var id, store, to string
		_, err = pgx.ForEachRow(rows, []any{&id, &store, &data.KeyName, &data.Shown, &data.Test, &data.ExpiresAt, &to}, func() error {
			journal.Audit(ctx, tx, journal.Entry{Action: "key.warn", ObjectID: id, StoreID: store, After: map[string]any{"expires_at": data.ExpiresAt}})
			if to != "" {
				letter := mail.NewLetter(to, data)
				letter.StoreID = store
				journal.Job(tx, mail.JobSend, letter)
			}
			return nil
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("look for keys that will expire: %w", err)
	}
	return nil
}
