package documents

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/platform/token"
)

// File is a document as it is downloaded.
type File struct {
	Name string
	Data []byte
}

// Reader is who asks for a document: staff, who see all, or a shopper, who sees those of an
// order that the cart's token or the signed-in customer opens.
type Reader struct {
	Staff      bool
	CartToken  string
	CustomerID string
}

// visible is SQL for whether the reader may see the order o; its parameters begin at $n.
func visible(n int) string {
	return fmt.Sprintf(`o.state <> 'pending' and ($%d::bool or o.token_hash = decode(nullif($%d, ''), 'hex') or o.customer_id = nullif($%d, ''))`, n, n+1, n+2)
}

func (r Reader) args() []any {
	hash := ""
	if r.CartToken != "" {
		hash = hex.EncodeToString(token.Hash(r.CartToken))
	}
	return []any{r.Staff, hash, r.CustomerID}
}

var fileSQL = `select d.kind, d.number, d.content, d.pdf, d.kept_until is not null from documents d join orders o on o.id = d.order_id
where d.id = $1 and ($2 = '' or d.order_id = $2) and ` + visible(3)

// keepSQL keeps a document's PDF unless somebody was quicker, and gives the one that is kept.
const keepSQL = `update documents set pdf = coalesce(pdf, $2) where id = $1 returning pdf`

// PDF is a document as it is printed, of this order unless that is empty. Whoever asks first
// has it written; it is the same from then on.
func (s *Service) PDF(ctx context.Context, id, orderID string, reader Reader) (File, error) {
	var kind, number string
	var raw, pdf []byte
	var restricted bool
	err := s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, fileSQL, append([]any{id, orderID}, reader.args()...)...).Scan(&kind, &number, &raw, &pdf, &restricted)
	})
	if errors.Is(err, postgres.ErrNoRows) {
		return File{}, problem.Missing("document")
	}
	if err != nil {
		return File{}, fmt.Errorf("read document %s: %w", id, err)
	}
	if restricted {
		return File{}, problem.New(problem.Forbidden, "document_restricted", "The document's buyer was erased. It is opened with a reason only.")
	}
	file := File{Name: fileName(number), Data: pdf}
	if pdf != nil {
		return file, nil
	}
	var c Content
	if err := json.Unmarshal(raw, &c); err != nil {
		return file, fmt.Errorf("read document %s: %w", id, err)
	}
	if pdf, err = layOut(s.Fonts, c); err != nil {
		return file, fmt.Errorf("print document %s: %w", id, err)
	}
	err = s.DB.InStore(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		return tx.QueryRow(ctx, keepSQL, id, pdf).Scan(&file.Data)
	})
	if err != nil {
		return file, fmt.Errorf("keep document %s: %w", id, err)
	}
	return file, nil
}

// fileName is a document's number as the name of a file.
func fileName(number string) string {
	name := []byte(number)
	for i, b := range name {
		if b != '-' && b != '_' && b != '.' && (b < '0' || b > '9') && (b < 'A' || b > 'Z') && (b < 'a' || b > 'z') {
			name[i] = '-'
		}
	}
	return string(name) + ".pdf"
}
