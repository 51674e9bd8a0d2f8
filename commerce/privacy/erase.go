package privacy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/documents"
	"github.com/stoacommerce/stoa/commerce/imports"
	"github.com/stoacommerce/stoa/commerce/reviews"
	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/jobs"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
	"github.com/stoacommerce/stoa/platform/problem"
)

// JobErase is the kind of the job that erases a person from what is not the store's tables
// alone: records, jobs, mails, files.
const JobErase = "erase_person"

// eraseArgs are its arguments: they do not say who it is.
type eraseArgs struct {
	Erasure string `json:"erasure_id"`
	Last    bool   `json:"last"` // nothing of the person can be under way any more
}

// touched says what became of the rows of a place.
type touched struct {
	Place   string `json:"place"`
	Rows    int64  `json:"rows"`
	Outcome string `json:"outcome"`
	Keeps   string `json:"kept_because,omitempty"`
}

// Erase erases a person from all that customers and orders are kept in, at once, and has the
// rest done by a job. It gives the erasure's ID. Refused while something is under way that
// the data is needed for.
func (s *Service) Erase(ctx context.Context, tx *postgres.Tx, of Subject, reason string) (string, error) {
	p, err := s.find(ctx, tx, of)
	if err != nil {
		return "", err
	}
	if p.nothing() {
		// Who never bought may still be in records and mails.
		p.Emails = []string{p.Email}
	}
	if err := s.allowed(ctx, tx, p); err != nil {
		return "", err
	}
	id, told := ids.New("era"), []touched{}
	for _, place := range places {
		if place.theirs == "" || place.later {
			continue
		}
		rows, err := s.from(ctx, tx, place, p)
		if err != nil {
			return "", err
		}
		if rows > 0 {
			told = append(told, touched{place.table, rows, place.outcome(), place.keeps})
		}
	}
	if _, err := s.Withdraw(ctx, tx); err != nil {
		return "", err
	}
	sealed, err := s.seal(p, tx.Store, id)
	if err != nil {
		return "", fmt.Errorf("seal erasure %s: %w", id, err)
	}
	raw, err := json.Marshal(told)
	if err != nil {
		return "", err
	}
	_, err = tx.Exec(ctx, `insert into erasures (id, customer_id, reason, places, sealed) values ($1, nullif($2, ''), $3, $4, $5)`, id, p.Customer, reason, string(raw), sealed)
	if err != nil {
		return "", fmt.Errorf("note erasure %s: %w", id, err)
	}
	object := p.Customer
	if object == "" {
		object = id
	}
	journal.Event(ctx, tx, "customer.erased", object, map[string]any{"erasure_id": id, "customer_id": orNull(p.Customer)})
	// A customer who asks for it is the person, and stands in no audit by name.
	quiet := ctx
	if who := principal.From(ctx); who.Kind == principal.Customer {
		who.Label, who.IP = "", ""
		quiet = principal.With(ctx, who)
	}
	journal.Audit(quiet, tx, journal.Entry{Action: "customer.erase", ObjectID: object, After: map[string]any{"erasure_id": id, "places": told}, Reason: reason})
	journal.Job(tx, JobErase, eraseArgs{Erasure: id})
	return id, nil
}

func orNull(id string) any {
	if id == "" {
		return nil
	}
	return id
}

// underWaySQL says what the data of orders $1 and carts $2 is still needed for.
const underWaySQL = `select exists (select from orders where id = any($1) and state in ('pending', 'open')),
	exists (select from returns where order_id = any($1) and state in ('requested', 'approved', 'received', 'inspected')),
	exists (select from carts where id = any($2) and state = 'completing'),
	exists (select from refunds where order_id = any($1) and state = 'pending'),
	exists (select from credit_accounts where kind = 'store_credit' and customer_id = $3 and balance > 0),
	exists (select from operations where kind = $4 and state in ('queued', 'running'))`

// allowed refuses what would leave somebody without their goods or their money.
func (s *Service) allowed(ctx context.Context, tx *postgres.Tx, p person) error {
	var orders, returns, completing, refunds, credit, imported bool
	if err := tx.QueryRow(ctx, underWaySQL, p.Orders, p.Carts, p.Customer, imports.ShopifyCustomers).Scan(&orders, &returns, &completing, &refunds, &credit, &imported); err != nil {
		return fmt.Errorf("look what is under way of a person: %w", err)
	}
	refused := problem.New(problem.Conflict, "erasure_in_the_way", "The data is still needed. Finish or cancel what is under way first.")
	for _, what := range []struct {
		is           bool
		code, detail string
	}{
		{orders, "orders_open", "There are orders that are neither completed nor cancelled."},
		{returns, "returns_open", "There are returns that are not closed."},
		{completing, "payment_under_way", "A cart is being paid for."},
		{refunds, "refund_under_way", "A refund is under way."},
		{credit, "store_credit_left", "There is store credit. Pay it out or take it back."},
		{imported, "import_under_way", "Customers are being imported, and they may be among them. Wait for its end or cancel it."},
	} {
		if what.is {
			refused.At("", what.code, "%s", what.detail)
		}
	}
	return refused.OrNil()
}

// from erases a person from one place of the store.
func (s *Service) from(ctx context.Context, tx *postgres.Tx, place place, p person) (int64, error) {
	if place.change == "restricted" {
		n, err := documents.Restrict(ctx, tx, s.Sealer, p.Orders)
		if err != nil {
			return 0, fmt.Errorf("restrict documents: %w", err)
		}
		return n, nil
	}
	if place.table == "reviews" { // products count those of theirs that are shown
		return reviews.Forget(ctx, tx, p.Customer)
	}
	schema := ""
	if place.owner {
		schema = postgres.SchemaName(tx.Store.Schema) + "."
	}
	tag, err := tx.Exec(ctx, place.statement(schema), p.args())
	if err != nil {
		return 0, fmt.Errorf("erase a person from %s: %w", place.table, err)
	}
	return tag.RowsAffected(), nil
}

// Register has the workers finish erasures.
func (s *Service) Register(w *jobs.Workers) {
	w.Handle(JobErase, jobs.With(func(ctx context.Context, args eraseArgs) error {
		return s.Finish(ctx, args.Erasure, args.Last)
	}))
}

// Finish erases the person of an erasure from everything that is left. What was under way
// when they were erased comes in for a while yet: so it is done once more after that, and
// then nothing tells who it was.
func (s *Service) Finish(ctx context.Context, id string, last bool) error {
	store, ok := postgres.StoreFrom(ctx)
	if !ok {
		return postgres.ErrNoStore
	}
	var sealed []byte
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, `select sealed from erasures where id = $1 and state = 'running'`, id).Scan(&sealed)
	})
	if errors.Is(err, postgres.ErrNoRows) {
		return nil // it is done
	}
	if err != nil {
		return fmt.Errorf("read erasure %s: %w", id, err)
	}
	p, err := s.unseal(sealed, store, id)
	if err != nil {
		return fmt.Errorf("erasure %s: %w", id, err)
	}
	if err := s.former(ctx, &p); err != nil {
		return fmt.Errorf("erasure %s: %w", id, err)
	}
	told, err := s.beyond(ctx, store, p)
	if err != nil {
		return fmt.Errorf("erasure %s: %w", id, err)
	}
	return s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		for _, place := range places {
			if !place.later || place.owner {
				continue
			}
			rows, err := s.from(ctx, tx, place, p)
			if err != nil {
				return err
			}
			told = append(told, touched{place.table, rows, place.outcome(), place.keeps})
		}
		if err := note(ctx, tx, id, told); err != nil {
			return err
		}
		if !last {
			journal.JobAt(tx, clock.Now().Add(s.Wait), JobErase, eraseArgs{Erasure: id, Last: true})
			return nil
		}
		if _, err := tx.Exec(ctx, `update erasures set state = 'done', sealed = null, finished_at = now() where id = $1`, id); err != nil {
			return fmt.Errorf("end erasure %s: %w", id, err)
		}
		return nil
	})
}

// formerSQL finds customers who were deleted and had one of the addresses $1, and draft orders
// that were once for one of these or for the customers $2: the audit tells of them yet.
const formerSQL = `with were as (select distinct w.id from (
	select e.object_id as id from audit_entries e where e.object_id >= 'cus_' and e.object_id < 'cus~' and e.action in ('customer.create', 'customer.verify') and e.after->>'email' = any($1)
	union select e.after->>'customer_id' from audit_entries e where e.object_id >= 'ord_' and e.object_id < 'ord~' and e.action = 'order.place' and e.after->>'email' = any($1)
) w where w.id <> '' and not exists (select from customers c where c.id = w.id)
), drafts as (
	select distinct e.object_id as id from audit_entries e cross join lateral (values (e.before), (e.after)) told(state)
	where e.object_id >= 'cart_' and e.object_id < 'cart~' and e.action like 'draft\_order.%'
		and (told.state->>'email' = any($1) or told.state->>'customer_id' = any($2) or told.state->>'customer_id' in (select id from were))
)
select coalesce(array_agg(id), '{}') from (select id from were union all select id from drafts) w`

// former adds to a person's names those of the customers that they were, and of the draft
// orders that were put together for them.
func (s *Service) former(ctx context.Context, p *person) error {
	var were []string
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, formerSQL, p.Emails, p.IDs).Scan(&were)
	})
	if err != nil {
		return fmt.Errorf("look for who a person was: %w", err)
	}
	p.IDs = append(p.IDs, were...)
	return nil
}

// note adds to what an erasure says of its places; the most that a place had counts.
func note(ctx context.Context, tx *postgres.Tx, id string, more []touched) error {
	var known []touched
	if err := tx.QueryRow(ctx, `select places from erasures where id = $1 for update`, id).Scan(&known); err != nil {
		return fmt.Errorf("read erasure %s: %w", id, err)
	}
	for _, t := range more {
		found := false
		for i := range known {
			if known[i].Place == t.Place {
				known[i].Rows, found = max(known[i].Rows, t.Rows), true
			}
		}
		if !found && t.Rows > 0 {
			known = append(known, t)
		}
	}
	if _, err := tx.Exec(ctx, `update erasures set places = $2 where id = $1`, id, known); err != nil {
		return fmt.Errorf("note erasure %s: %w", id, err)
	}
	return nil
}
