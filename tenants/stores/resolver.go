package stores

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants"
)

// likeText keeps a text from meaning anything in a LIKE.
var likeText = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// known is what is remembered of a store, or that there is none.
type known struct {
	exists bool
	record Record
}

// ByAddress is the store at the first label of a host name: its address, or the address
// followed by "--test" for its sandbox. There is none at the address of a deleted store;
// a suspended one is given, with its status. A sandbox that was never used is not there.
func (s *Service) ByAddress(ctx context.Context, label string) (tenants.Store, error) {
	address, sandbox := splitHost(label)
	if !wellFormed(address) {
		return tenants.Store{}, problem.Missing("store")
	}
	k, err := s.remembered(ctx, addressKey(address), selectByAddress, address)
	if err != nil {
		return tenants.Store{}, err
	}
	if !k.exists || k.record.Status == tenants.Deleted || sandbox && !k.record.HasSandbox {
		return tenants.Store{}, problem.Missing("store")
	}
	mode := principal.Live
	if sandbox {
		mode = principal.Test
	}
	return k.record.Side(mode), nil
}

// ByID is a side of the store with this ID, in whatever state it is, but purged. A
// sandbox is born at its first use, which is this.
func (s *Service) ByID(ctx context.Context, id string, mode principal.Mode) (tenants.Store, error) {
	k, err := s.rememberedByID(ctx, id)
	if err != nil {
		return tenants.Store{}, err
	}
	if mode == principal.Test && !k.record.HasSandbox && k.record.Status != tenants.Deleted {
		return s.sandbox(ctx, &k.record)
	}
	return k.record.Side(mode), nil
}

// Born is ByID for whoever may not use the store: a sandbox that was never used is not there.
func (s *Service) Born(ctx context.Context, id string, mode principal.Mode) (tenants.Store, error) {
	k, err := s.rememberedByID(ctx, id)
	if err != nil {
		return tenants.Store{}, err
	}
	if mode == principal.Test && !k.record.HasSandbox {
		return tenants.Store{}, problem.Missing("store")
	}
	return k.record.Side(mode), nil
}

func (s *Service) rememberedByID(ctx context.Context, id string) (*known, error) {
	k, err := s.remembered(ctx, idKey(id), selectByID, id)
	if err != nil {
		return nil, err
	}
	if !k.exists || k.record.Status == tenants.Purged {
		return nil, problem.Missing("store")
	}
	return k, nil
}

// OwnerVerified says whether an owner of the store has proven their e-mail address, as
// the look-up of a store says too.
func (s *Service) OwnerVerified(ctx context.Context, id string) (bool, error) {
	store, err := s.ByID(ctx, id, principal.Live)
	return store.OwnerVerified, err
}

func (s *Service) remembered(ctx context.Context, key, statement string, arg any) (*known, error) {
	return s.known.Get(ctx, key, func(ctx context.Context) (*known, error) {
		var k known
		err := s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			var err error
			k.record, err = scan(tx.QueryRow(ctx, statement, arg))
			return err
		})
		if errors.Is(err, postgres.ErrNoRows) {
			return &known{}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("look up store %s: %w", key, err)
		}
		k.exists = true
		return &k, nil
	})
}

func idKey(id string) string           { return "id:" + id }
func addressKey(address string) string { return "at:" + address }

// Forget has all replicas read what they know of a store anew; call it after the commit
// of a change.
func (s *Service) Forget(ctx context.Context, rec Record) {
	keys := []string{idKey(rec.ID), addressKey(rec.Address)}
	for _, ref := range []postgres.StoreRef{rec.live, rec.sandbox} {
		if ref.Schema > 0 {
			keys = append(keys, schemaKey(ref.Schema))
		}
	}
	if err := s.known.Forget(context.WithoutCancel(ctx), keys...); err != nil {
		s.config.Log.WarnContext(ctx, "other replicas are not told of a store's change yet", "store", rec.ID, "error", err)
	}
}

// forgetAfter is Forget once tx is committed.
func (s *Service) forgetAfter(ctx context.Context, tx *postgres.Tx, rec Record) {
	tx.AfterCommit(func() { s.Forget(ctx, rec) })
}

// selectOwned gives the stores that an account owns.
const selectOwned = selectRecord + `where s.id in (select store_id from members where account_id = $1 and role = 'owner')`

// OwnerChanged has what is known of an account's stores read anew once tx is committed:
// the account has proven its address, or joined or left.
func (s *Service) OwnerChanged(ctx context.Context, tx *postgres.Tx, accountID string) error {
	rows, err := tx.Query(ctx, selectOwned, accountID)
	if err != nil {
		return fmt.Errorf("stores of %s: %w", accountID, err)
	}
	defer rows.Close()
	for rows.Next() {
		rec, err := scan(rows)
		if err != nil {
			return fmt.Errorf("stores of %s: %w", accountID, err)
		}
		s.forgetAfter(ctx, tx, rec)
	}
	return rows.Err()
}

const selectBySchema = selectRecord + `where s.id = (select store_id from schemas where number = $1)`

// ResolveJob finds whom a job of a cell's queue works for; it is what platform/jobs asks
// for. A schema that belongs to no store yet, or to none any more, is Gone.
func (s *Service) ResolveJob(ctx context.Context, cell string, schema int64) (postgres.StoreRef, jobs.State, error) {
	k, err := s.remembered(ctx, schemaKey(schema), selectBySchema, schema)
	if err != nil {
		return postgres.StoreRef{}, jobs.Pause, err
	}
	for _, ref := range []postgres.StoreRef{k.record.live, k.record.sandbox} {
		if !k.exists || ref.Cell != cell || ref.Schema != schema {
			continue
		}
		switch k.record.Status {
		case tenants.Active:
			return ref, jobs.Run, nil
		case tenants.Purged:
			return ref, jobs.Gone, nil
		default:
			return ref, jobs.Pause, nil
		}
	}
	return postgres.StoreRef{}, jobs.Gone, nil
}

func schemaKey(schema int64) string { return fmt.Sprintf("in:%d", schema) }
