package members

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/principal"
)

// Addresses are the e-mail addresses of those of a store's staff who have a permission, for
// mails that tell them what concerns them.
func (s *Service) Addresses(ctx context.Context, storeID, permission string) (list []string, err error) {
	err = s.db.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
		rows, err := tx.Query(ctx, `select a.email, m.role, coalesce(r.permissions, '{}') from members m join accounts a on a.id = m.account_id
			left join roles r on r.id = m.role_id where m.store_id = $1 order by m.created_at, m.account_id`, storeID)
		if err != nil {
			return err
		}
		var email string
		p := principal.Principal{Kind: principal.Account, StoreID: storeID}
		_, err = pgx.ForEachRow(rows, []any{&email, &p.Role, &p.Grants}, func() error {
			if s.config.Access.Allows(p, permission) {
				list = append(list, email)
			}
			return nil
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("staff of store %s: %w", storeID, err)
	}
	return list, nil
}
