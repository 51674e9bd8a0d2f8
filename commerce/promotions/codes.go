package promotions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// MaxCodes is how many codes are made at once.
const MaxCodes = 10_000

// Batch is codes to be made for a promotion.
type Batch struct {
	Codes      []string // as given …
	Count      int      // … or so many at random
	Prefix     string   // before each random one
	UsageLimit *int64   // of each code; nil: as often as the promotion
}

// Normal is a code as it is kept and compared: in capitals, without the spaces around it.
func Normal(code string) string { return strings.ToUpper(strings.TrimSpace(code)) }

// AddCodes makes codes of a promotion that goes by code, and gives them.
func AddCodes(ctx context.Context, tx *postgres.Tx, id ID, in Batch) ([]string, error) {
	p, err := lock(ctx, tx, id, 0)
	if err != nil {
		return nil, err
	}
	codes := in.Codes
	for range in.Count {
		codes = append(codes, Normal(in.Prefix)+token.Code())
	}
	if len(codes) == 0 {
		return nil, problem.New(problem.Unprocessable, "invalid_promotion", "Give codes, or how many are to be made.").
			At("/count", "required", "How many?")
	}
	if len(codes) > MaxCodes {
		return nil, problem.New(problem.Unprocessable, "invalid_promotion", "At most %d codes are made at once.", MaxCodes).
			At("/count", "out_of_range", "At most %d.", MaxCodes)
	}
	return codes, addCodes(ctx, tx, p, codes, in.UsageLimit)
}

func addCodes(ctx context.Context, tx *postgres.Tx, p *promotion, codes []string, limit *int64) error {
	if p.Automatic {
		return problem.New(problem.Unprocessable, "automatic_promotion", "This promotion needs no code.")
	}
	wrong := problem.New(problem.Unprocessable, "invalid_promotion", "The codes cannot be kept as they are.")
	seen := map[string]bool{}
	for i := range codes {
		at := fmt.Sprintf("/codes/%d", i)
		codes[i] = Normal(codes[i])
		if n := len([]rune(codes[i])); n < 3 || n > 64 || strings.ContainsAny(codes[i], " \t\r\n") {
			wrong.At(at, "pattern", "A code has 3 to 64 characters without spaces.")
		}
		if seen[codes[i]] {
			wrong.At(at, "repeated", "The code is there twice.")
		}
		seen[codes[i]] = true
	}
	if err := wrong.OrNil(); err != nil {
		return err
	}
	var rows json.RawMessage
	var there []int
	err := tx.QueryRow(ctx, `
		with asked as (select code, at from unnest($1::text[]) with ordinality as a(code, at)),
		made as (insert into promotion_codes (code, promotion_id, usage_limit) select code, $2, $3 from asked order by code on conflict do nothing returning *)
		select jsonb_build_object('promotion_codes', (select coalesce(jsonb_agg(to_jsonb(made)), '[]') from made)),
			array(select asked.at - 1 from asked where not exists (select from made where made.code = asked.code) order by asked.at)`, codes, p.ID, limit).Scan(&rows, &there)
	if err != nil {
		return fmt.Errorf("insert codes of promotion %s: %w", p.ID, err)
	}
	taken := problem.New(problem.Conflict, "code_taken", "A code belongs to one promotion.")
	for _, at := range there {
		taken.At(fmt.Sprintf("/codes/%d", at), "code_taken", "There is a code %s already.", codes[at])
	}
	if err := taken.OrNil(); err != nil {
		return err
	}
	return p.coded(ctx, tx, "promotion.add_codes", rows)
}

// RemoveCode takes a code away. Orders that used it keep what they got.
func RemoveCode(ctx context.Context, tx *postgres.Tx, id ID, code string) error {
	p, err := lock(ctx, tx, id, 0)
	if err != nil {
		return err
	}
	var rows json.RawMessage
	err = tx.QueryRow(ctx, `delete from promotion_codes c where promotion_id = $1 and code = $2 returning jsonb_build_object('promotion_codes', jsonb_build_array(to_jsonb(c)))`,
		id, Normal(code)).Scan(&rows)
	if errors.Is(err, postgres.ErrNoRows) {
		return problem.Missing("code of this promotion")
	}
	if err != nil {
		return fmt.Errorf("remove a code of promotion %s: %w", id, err)
	}
	return p.coded(ctx, tx, "promotion.remove_codes", rows)
}
