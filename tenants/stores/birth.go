package stores

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/text/language"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/money"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// Birth is what a store begins with.
type Birth struct {
	Name         string
	Address      string
	Country      string // ISO 3166-1 alpha-2
	Currency     string // ISO 4217
	ContactEmail string // shown to shoppers; may be empty
	Plan         string // "free" when empty
	Demo         bool   // may use the test payment provider on its live side
}

const maxName = 255

// Validate names everything that is wrong, where the contract's sign-up has it. The
// problem's own code is that of the first fault.
func (b Birth) Validate() error {
	var wrong []*problem.Problem
	if n := utf8.RuneCountInString(b.Name); n == 0 || n > maxName || strings.TrimSpace(b.Name) != b.Name {
		wrong = append(wrong, problem.New(problem.Invalid, "invalid_request", "This cannot be a store's name.").
			At("/store_name", "length", "A name has 1 to %d characters.", maxName))
	}
	if !KnownCountry(b.Country) {
		wrong = append(wrong, problem.New(problem.Unprocessable, "unknown_country", "There is no such country.").
			At("/country", "unknown_country", "ISO 3166 knows no country with this code."))
	}
	if !money.Known(b.Currency) {
		wrong = append(wrong, problem.New(problem.Unprocessable, "unknown_currency", "There is no such currency.").
			At("/currency", "unknown_currency", "There is no currency with this code that prices can be in."))
	}
	if why := fault(b.Address); why != "" {
		wrong = append(wrong, refusal(why))
	}
	if len(wrong) == 0 {
		return nil
	}
	first := wrong[0]
	for _, other := range wrong[1:] {
		first.Faults = append(first.Faults, other.Faults...)
	}
	return first
}

// KnownCountry says whether code is the ISO 3166-1 alpha-2 code of a country.
func KnownCountry(code string) bool {
	region, err := language.ParseRegion(code)
	return err == nil && len(code) == 2 && region.IsCountry() && region.String() == code
}

// Prepared is a store that is furnished and does not exist yet.
type Prepared struct {
	ID    string
	ref   postgres.StoreRef
	birth Birth
	at    time.Time
}

// Ref is where the data of the store's live side will lie.
func (p *Prepared) Ref() postgres.StoreRef { return p.ref }

// tidy is a birth as it is kept.
func (b Birth) tidy() Birth {
	b.Name = strings.TrimSpace(b.Name)
	if b.Plan == "" {
		b.Plan = "free"
	}
	return b
}

// Claimable says why a store cannot be opened like this now: something is wrong in itself,
// or its address cannot be had. It reserves nothing.
func (s *Service) Claimable(ctx context.Context, in Birth) error {
	if err := in.tidy().Validate(); err != nil {
		return err
	}
	why, err := s.free(ctx, in.Address)
	if err != nil {
		return err
	}
	if why != "" {
		return refusal(why)
	}
	return nil
}

// Prepare does all of a birth that takes time: it finds a cell and furnishes a schema
// there. Nothing of it shows. Enter makes the store of it, or Abandon gives it back;
// when neither comes, Sweep does.
func (s *Service) Prepare(ctx context.Context, in Birth) (*Prepared, error) {
	in = in.tidy()
	if err := s.Claimable(ctx, in); err != nil {
		return nil, err
	}
	ref, err := s.settle(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("prepare store %s: %w", in.Address, err)
	}
	return &Prepared{ID: ref.ID, ref: ref, birth: in, at: clock.Now()}, nil
}

const (
	// holdTaken keeps the sweeper from taking the schema away until the transaction ends.
	holdTaken = `select 1 from schemas where number = $1 and state = 'taken' and store_id = $2 for update`

	insertStore = `
insert into stores (id, name, address, skeleton, demo, plan, country, currency, cell, live_schema, created_at, updated_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)`

	insertOwner = `insert into members (store_id, account_id, role, created_at, updated_at) values ($1, $2, 'owner', $3, $3)`
)

// Enter makes a prepared store exist, owned by an account, when the caller's transaction
// on the control database commits.
func (s *Service) Enter(ctx context.Context, tx *postgres.Tx, p *Prepared, ownerID string) (Record, error) {
	var held int
	if err := tx.QueryRow(ctx, holdTaken, p.ref.Schema, p.ID).Scan(&held); err != nil {
		return Record{}, fmt.Errorf("enter store %s: its schema was taken away: %w", p.ID, err)
	}
	now := clock.Now()
	_, err := tx.Exec(ctx, insertStore, p.ID, p.birth.Name, p.birth.Address, Skeleton(p.birth.Address), p.birth.Demo,
		p.birth.Plan, p.birth.Country, p.birth.Currency, p.ref.Cell, p.ref.Schema, now)
	switch {
	case isUnique(err, "stores_address"):
		return Record{}, refusal(taken)
	case isUnique(err, "stores_skeleton"):
		return Record{}, refusal(confusable)
	case err != nil:
		return Record{}, fmt.Errorf("enter store %s: %w", p.ID, err)
	}
	if _, err := tx.Exec(ctx, insertOwner, p.ID, ownerID, now); err != nil {
		return Record{}, fmt.Errorf("owner of store %s: %w", p.ID, err)
	}
	rec, err := s.GetTx(ctx, tx, p.ID)
	if err != nil {
		return Record{}, err
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "store.create", ObjectID: p.ID, StoreID: p.ID, After: map[string]any{
		"name": rec.Name, "address": rec.Address, "country": rec.Country, "currency": rec.Currency, "plan": rec.Plan, "cell": rec.Cell,
	}})
	s.forgetAfter(ctx, tx, rec) // somebody may have looked at the address in vain
	return rec, nil
}

// abandonTime bounds giving back what was prepared.
const abandonTime = 5 * time.Second

// Abandon gives back what was prepared for a store that will not be. When it cannot,
// Sweep will.
func (s *Service) Abandon(ctx context.Context, p *Prepared) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abandonTime)
	defer cancel()
	if err := s.giveBack(ctx, p.ref); err != nil {
		s.config.Log.WarnContext(ctx, "a schema waits to be swept", "schema", p.ref.Schema, "cell", p.ref.Cell, "error", err)
	}
}

// selectClash finds what an address clashes with.
const selectClash = `select address from stores where (address = $1 or skeleton = $2) and status <> 'purged' order by address <> $1 limit 1`

// free says why an address that is well-formed cannot be had, if so.
func (s *Service) free(ctx context.Context, address string) (why string, err error) {
	var other string
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, selectClash, address, Skeleton(address)).Scan(&other)
	})
	switch {
	case errors.Is(err, postgres.ErrNoRows):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look for address %s: %w", address, err)
	case other == address:
		return taken, nil
	}
	return confusable, nil
}

// CheckAddress says why a new store cannot have an address: malformed, reserved,
// confusable or taken; "" when it can. It reserves nothing.
func (s *Service) CheckAddress(ctx context.Context, address string) (why string, err error) {
	if why := fault(address); why != "" {
		return why, nil
	}
	return s.free(ctx, address)
}

// isUnique says whether err tells that a unique index refused a row.
func isUnique(err error, index string) bool {
	var answer *pgconn.PgError
	return errors.As(err, &answer) && answer.Code == "23505" && answer.ConstraintName == index
}
