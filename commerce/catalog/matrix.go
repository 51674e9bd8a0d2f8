package catalog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/stoacommerce/stoa/commerce/inventory"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/postgres"
)

// Matrix is what the variants are like that are made of all combinations of a product's
// choices.
type Matrix struct {
	// SKUPattern is what stock-keeping numbers are made of: {1}, {2} and {3} stand for the
	// choice of each option, in capitals and without what is not a letter or a digit, {n}
	// for the variant's number from 1 on. Without a pattern variants have none.
	SKUPattern string
	// Each is what all of them have in common. Its choices and its SKU do not count.
	Each VariantInput
}

// GenerateVariants makes the variants that a product lacks for each combination of its
// choices to be one, after those that it has, by as few statements as one takes.
func (s *Service) GenerateVariants(ctx context.Context, tx *postgres.Tx, id ProductID, matrix Matrix) error {
	p, err := lockProduct(ctx, tx, id)
	if err != nil {
		return err
	}
	others, err := variantsOf(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	c := check("invalid_variant", "The variants cannot be kept as they are.")
	inputs := c.combinations(&matrix, p.Options, others, "/sku_pattern")
	if err := c.imageOf(ctx, tx, p.ID, matrix.Each.ImageID); err != nil {
		return err
	}
	if len(inputs)+len(others) > maxVariants {
		return tooManyVariants()
	}
	made, stock := make([]*variant, len(inputs)), make([]inventory.Line, len(inputs))
	for i, in := range inputs {
		v := newVariant(p.ID, nextPlace(others)+i, in)
		if len(c.wrong.Faults) == 0 { // what is wrong with one is wrong with all
			c.variant(v, p.Options, "")
			c.stock(in, "")
		}
		made[i], stock[i] = v, inventory.Line{VariantID: inventory.VariantID(v.ID), Quantity: in.Stock}
	}
	if err := c.wrong.OrNil(); err != nil || len(made) == 0 {
		return err
	}
	if err := insertVariants(ctx, tx, made); err != nil {
		return err
	}
	if err := inventory.Begin(ctx, tx, stock); err != nil {
		return err
	}
	if err := s.touched(ctx, tx, p); err != nil {
		return err
	}
	ids := make([]VariantID, len(made))
	for i, v := range made {
		ids[i] = v.ID
	}
	kept, err := json.Marshal(generated{ids})
	if err != nil {
		return fmt.Errorf("keep which variants were generated: %w", err)
	}
	journal.Audit(ctx, tx, journal.Entry{Action: "variant.generate", ObjectID: string(p.ID), After: map[string]any{"variants": made}, Kept: kept})
	return nil
}

// generated is what is kept of variants that were generated, so that they can be deleted.
type generated struct {
	VariantIDs []VariantID `json:"variant_ids"`
}

// Ungenerate deletes the variants that were generated of a product, unless one of them was
// changed since.
func (s *Service) Ungenerate(ctx context.Context, tx *postgres.Tx, id string, kept json.RawMessage) error {
	var of generated
	if err := json.Unmarshal(kept, &of); err != nil {
		return fmt.Errorf("read which variants of %s were generated: %w", id, err)
	}
	if _, err := lockProduct(ctx, tx, ProductID(id)); err != nil {
		return err
	}
	var same int
	err := tx.QueryRow(ctx, `select count(*) from variants where id = any($1) and product_id = $2 and version = 1`, of.VariantIDs, id).Scan(&same)
	if err != nil {
		return fmt.Errorf("look what became of the variants of %s: %w", id, err)
	}
	if same < len(of.VariantIDs) {
		return changedSince()
	}
	done, err := s.RemoveVariants(ctx, tx, of.VariantIDs)
	for _, d := range done {
		err = errors.Join(err, d.Err)
	}
	return err
}

// combinations are the variants that are lacking for each combination of choices to be
// one, in the order of the options. What is wrong with the pattern is said at a pointer.
func (c checker) combinations(m *Matrix, options []Option, there []*variant, at string) []VariantInput {
	if len(options) == 0 {
		c.wrong.At("/options", "no_options", "The product has no options to combine.")
		return nil
	}
	count := 1
	for _, option := range options {
		if count *= len(option.Values); count > maxVariants {
			c.wrong.At("/options", "maxItems", "The options have more than %d combinations.", maxVariants)
			return nil
		}
	}
	c.pattern(m.SKUPattern, len(options), at)
	taken := make(map[string]bool, len(there))
	for _, v := range there {
		taken[strings.Join(v.Choices, "\x00")] = true
	}
	var lacking []VariantInput
	for n := range count {
		choices, rest := make([]string, len(options)), n
		for i := len(options) - 1; i >= 0; i-- {
			values := options[i].Values
			choices[i], rest = values[rest%len(values)], rest/len(values)
		}
		if taken[strings.Join(choices, "\x00")] {
			continue
		}
		v := m.Each
		v.Choices, v.SKU = choices, m.sku(choices, n+1)
		lacking = append(lacking, v)
	}
	return lacking
}

// sku is the stock-keeping number of a combination, the nth of all.
func (m *Matrix) sku(choices []string, n int) string {
	pairs := []string{"{n}", strconv.Itoa(n)}
	for i, choice := range choices {
		pairs = append(pairs, "{"+strconv.Itoa(i+1)+"}", strings.ToUpper(HandleFor(choice, strconv.Itoa(n))))
	}
	return strings.NewReplacer(pairs...).Replace(m.SKUPattern)
}

// pattern checks the placeholders of a pattern for so many options.
func (c checker) pattern(pattern string, options int, at string) {
	known := strings.NewReplacer("{n}", "", "{1}", "", "{2}", "", "{3}", "")
	if strings.ContainsAny(known.Replace(pattern), "{}") {
		c.wrong.At(at, "placeholder", "The placeholders are {1}, {2}, {3} and {n}.")
		return
	}
	for i := options + 1; i <= maxOptions; i++ {
		if strings.Contains(pattern, "{"+strconv.Itoa(i)+"}") {
			c.wrong.At(at, "placeholder", "The product has only %d options.", options)
		}
	}
}
