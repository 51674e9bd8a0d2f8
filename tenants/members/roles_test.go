package members_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stoacommerce/stoa/platform/ids"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/access"
	"github.com/stoacommerce/stoa/tenants/members"
)

func ptr[T any](v T) *T { return &v }

func TestRolesOfAStoresOwn(t *testing.T) {
	h := open(t)
	ctx := h.Store(t)
	owner, _ := h.hire(t, ctx, as(access.Owner))
	role, err := h.createRole(owner, " Warehouse ", "inventory:write", "orders:read", "inventory:write")
	if err != nil || role.Name != "Warehouse" || !slices.Equal(role.Permissions, []string{"inventory:write", "orders:read"}) || role.Version != 1 {
		t.Fatalf("%+v, %v", role, err)
	}
	for _, name := range []string{"WAREHOUSE", "owner", "Custom"} {
		_, err = h.createRole(owner, name)
		refused(t, err, problem.Conflict, "name_taken")
	}
	_, err = h.createRole(owner, strings.Repeat("x", 65), "store:delete", "none")
	if p := problem.As(err); p == nil || len(p.Faults) != 3 {
		t.Errorf("three faults: %v", err)
	}
	elsewhere, _ := h.hire(t, h.Store(t), as(access.Owner))
	if _, err := h.createRole(elsewhere, "Warehouse"); err != nil {
		t.Errorf("another store: %v", err)
	}

	update := func(ctx context.Context, version int, in members.RoleInput) (r members.Role, err error) {
		err = h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error {
			r, err = h.UpdateRole(ctx, tx, role.ID, version, in)
			return err
		})
		return r, err
	}
	changed, err := update(owner, 1, members.RoleInput{Description: ptr("Packs."), Permissions: ptr([]string{access.StoreExport})})
	if err != nil || changed.Name != "Warehouse" || changed.Description != "Packs." || changed.Version != 2 {
		t.Fatalf("%+v, %v", changed, err)
	}
	_, err = update(owner, 1, members.RoleInput{Name: ptr("Depot")})
	refused(t, err, problem.Stale, "stale")
	_, err = update(elsewhere, 0, members.RoleInput{Name: ptr("Depot")})
	refused(t, err, problem.NotFound, "not_found")
	_, err = update(owner, 0, members.RoleInput{Name: ptr(" "), Description: ptr(strings.Repeat("ä", 501))})
	refused(t, err, problem.Invalid, "invalid_request")
	// An admin, who may not export, can rename what may, but give it no such thing anew.
	admin, _ := h.hire(t, ctx, as(access.Admin))
	if _, err := update(admin, 0, members.RoleInput{Name: ptr("Depot")}); err != nil {
		t.Error(err)
	}
	if _, err := update(admin, 0, members.RoleInput{Permissions: ptr([]string{access.StoreExport, "orders:read"})}); err != nil {
		t.Error(err)
	}
	if _, err := update(admin, 0, members.RoleInput{Permissions: ptr([]string{"orders:read"})}); err != nil {
		t.Error(err)
	}
	_, err = update(admin, 0, members.RoleInput{Permissions: ptr([]string{access.StoreExport})})
	refused(t, err, problem.Forbidden, "grant_exceeded")
	other, err := h.createRole(owner, "Other")
	if err != nil {
		t.Fatal(err)
	}
	_, err = update(owner, 0, members.RoleInput{Name: &other.Name})
	refused(t, err, problem.Conflict, "name_taken")

	remove := func(ctx context.Context, id string, version int) error {
		return h.DB.InControl(ctx, func(ctx context.Context, tx *postgres.Tx) error { return h.DeleteRole(ctx, tx, id, version) })
	}
	// Neither a role that somebody has nor one that somebody is invited into can go.
	_, holder := h.hire(t, ctx, members.Assignment{Role: access.Custom, RoleID: role.ID})
	refused(t, remove(owner, role.ID, 0), problem.Conflict, "role_in_use")
	if _, err := h.update(owner, holder, access.Analyst); err != nil {
		t.Fatal(err)
	}
	i, err := h.invite(owner, address(), members.Assignment{Role: access.Custom, RoleID: role.ID})
	if err != nil {
		t.Fatal(err)
	}
	if _, data := h.letter(t, i.Email); data["role"] != "Depot" {
		t.Errorf("the mail tells %v", data)
	}
	refused(t, remove(owner, role.ID, 0), problem.Conflict, "role_in_use")
	h.do(t, owner, func(ctx context.Context, tx *postgres.Tx) error { return h.Revoke(ctx, tx, i.ID) })
	refused(t, remove(owner, role.ID, 1), problem.Stale, "stale")
	refused(t, remove(elsewhere, role.ID, 0), problem.NotFound, "not_found")
	if err := remove(owner, role.ID, 0); err != nil {
		t.Fatal(err)
	}
	refused(t, remove(owner, role.ID, 0), problem.NotFound, "not_found")
	// Nothing that was is lost with it.
	h.do(t, owner, func(ctx context.Context, tx *postgres.Tx) error {
		list, err := h.Invitations(ctx, tx, "", "", 10)
		if len(list) != 1 || list[0].Role != access.Custom || list[0].RoleID != "" {
			t.Errorf("invitations %+v", list)
		}
		return err
	})
}

func TestAssignments(t *testing.T) {
	h := open(t)
	ctx := h.Store(t)
	owner, _ := h.hire(t, ctx, as(access.Owner))
	elsewhere, _ := h.hire(t, h.Store(t), as(access.Owner))
	mine, err := h.createRole(owner, "Mine", "orders:read")
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.createRole(owner, "Second", "orders:read")
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := h.createRole(elsewhere, "Theirs", "orders:read")
	if err != nil {
		t.Fatal(err)
	}
	_, id := h.hire(t, ctx, as(access.Support))
	for _, c := range []struct {
		name  string
		patch members.Patch
		want  members.Assignment // none when it is refused
	}{
		{"custom without a role", members.Patch{Role: ptr(access.Custom)}, members.Assignment{}},
		{"an ID for a built-in role", members.Patch{RoleID: ptr(mine.ID)}, members.Assignment{}},
		{"a built-in role with an ID", members.Patch{Role: ptr(access.Admin), RoleID: ptr(mine.ID)}, members.Assignment{}},
		{"a role that does not exist", members.Patch{Role: ptr(access.Custom), RoleID: ptr(ids.New("role"))}, members.Assignment{}},
		{"another store's", members.Patch{Role: ptr(access.Custom), RoleID: ptr(theirs.ID)}, members.Assignment{}},
		{"an unknown word", members.Patch{Role: ptr("sovereign")}, members.Assignment{}},
		{"one's own", members.Patch{Role: ptr(access.Custom), RoleID: ptr(mine.ID)}, members.Assignment{Role: access.Custom, RoleID: mine.ID}},
		{"another of one's own", members.Patch{RoleID: ptr(second.ID)}, members.Assignment{Role: access.Custom, RoleID: second.ID}},
		{"the ID taken away", members.Patch{RoleID: ptr("")}, members.Assignment{}},
		{"nothing", members.Patch{Role: ptr(access.Custom)}, members.Assignment{Role: access.Custom, RoleID: second.ID}},
		{"a built-in one", members.Patch{Role: ptr(access.Orders)}, members.Assignment{Role: access.Orders}},
	} {
		m, err := h.patch(owner, id, c.patch)
		if c.want.Role == "" {
			if !problem.Is(err, "role_invalid") {
				t.Errorf("%s: %+v, %v", c.name, m, err)
			}
		} else if err != nil || m.Assignment != c.want {
			t.Errorf("%s: %+v, %v", c.name, m, err)
		}
	}
	_, err = h.update(owner, ids.New("acc"), access.Admin)
	refused(t, err, problem.NotFound, "not_found")
	_, err = h.update(elsewhere, id, access.Admin)
	refused(t, err, problem.NotFound, "not_found")
	refused(t, h.remove(elsewhere, id), problem.NotFound, "not_found")
}

func TestPagesOfRoles(t *testing.T) {
	h := open(t)
	ctx := h.Store(t)
	owner, _ := h.hire(t, ctx, as(access.Owner))
	want := []string{access.Owner, access.Admin, access.Catalogue, access.Orders, access.Support, access.Analyst}
	for _, name := range []string{"A", "B", "C"} {
		role, err := h.createRole(owner, name, "orders:read")
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, role.ID)
	}
	for _, size := range []int{1, 2, 4, 6, 7, 100} {
		var got []string
		h.do(t, owner, func(ctx context.Context, tx *postgres.Tx) error {
			for after := ""; ; {
				list, err := h.Roles(ctx, tx, after, size)
				if err != nil {
					return err
				}
				for _, r := range list {
					got = append(got, r.ID)
					if r.BuiltIn == ids.Valid("role", r.ID) || len(r.Permissions) == 0 || slices.Contains(r.Permissions, access.None) {
						t.Errorf("listed %+v", r)
					}
				}
				if len(list) < size {
					return nil
				}
				after = list[size-1].ID
			}
		})
		if !slices.Equal(got, want) {
			t.Errorf("pages of %d: %v", size, got)
		}
	}
	h.do(t, owner, func(ctx context.Context, tx *postgres.Tx) error {
		role, err := h.Role(ctx, tx, want[6])
		if role.Name != "A" {
			t.Errorf("read %+v", role)
		}
		return err
	})
}

// TestWithoutAStore holds that nothing is read or changed where no store is named.
func TestWithoutAStore(t *testing.T) {
	h := open(t)
	h.do(t, t.Context(), func(ctx context.Context, tx *postgres.Tx) error {
		for name, step := range map[string]func() error{
			"list":        func() error { _, err := h.List(ctx, tx, "", 1); return err },
			"invite":      func() error { _, err := h.Invite(ctx, tx, address(), as(access.Support)); return err },
			"update":      func() error { _, err := h.Update(ctx, tx, ids.New("acc"), members.Patch{}); return err },
			"remove":      func() error { return h.Remove(ctx, tx, ids.New("acc")) },
			"invitations": func() error { _, err := h.Invitations(ctx, tx, "", "", 1); return err },
			"revoke":      func() error { return h.Revoke(ctx, tx, ids.New("inv")) },
			"roles":       func() error { _, err := h.Roles(ctx, tx, "", 1); return err },
			"role":        func() error { _, err := h.Role(ctx, tx, ids.New("role")); return err },
			"create role": func() error { _, err := h.CreateRole(ctx, tx, members.RoleInput{}); return err },
			"delete role": func() error { return h.DeleteRole(ctx, tx, ids.New("role"), 0) },
		} {
			if err := step(); !errors.Is(err, postgres.ErrNoStore) {
				t.Errorf("%s: %v", name, err)
			}
		}
		return nil
	})
}
