package themes

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/stoacommerce/stoa/platform/clock"
	"github.com/stoacommerce/stoa/platform/journal"
	"github.com/stoacommerce/stoa/platform/merge"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Menus are the menus of a shop.
var Menus = []string{"footer", "header"}

// Menu is what stands in the shop's head or foot. Without items of the merchant's it is made of
// the categories and collections that there are.
type Menu struct {
	Items     []Item     `json:"items"`
	Version   int        `json:"version"`
	UpdatedAt *time.Time `json:"updated_at"`
}

// Item is a link of a menu, and what lies below it.
type Item struct {
	ID    string  `json:"id"`
	Label *string `json:"label"` // what it leads to is called when nil
	Link  Link    `json:"link"`
	Items []Item  `json:"items,omitempty"`
}

// mostLinks is how many links stand beside each other in a menu, and below one.
const mostLinks = 20

// ShownMenu is a menu as the API shows it.
type ShownMenu struct {
	Name      string     `json:"menu"`
	Items     []Item     `json:"items"`
	Dead      []Dead     `json:"dead_links"`
	UpdatedAt *time.Time `json:"updated_at"`

	Version int `json:"-"`
}

func (s *state) menu(name string) ShownMenu {
	shown := ShownMenu{Name: name, Dead: []Dead{}, Version: 1}
	if m := s.Menus[name]; m != nil {
		shown.Items, shown.UpdatedAt, shown.Version = m.Items, m.UpdatedAt, m.Version
		shown.Dead = refsOf(m.Items, "/items").dead(s.Targets)
	}
	return shown
}

// ReadMenus are the store's menus.
func ReadMenus(ctx context.Context, from postgres.Source) ([]ShownMenu, error) {
	s, err := read(ctx, from)
	if err != nil {
		return nil, err
	}
	var list []ShownMenu
	for _, name := range Menus {
		list = append(list, s.menu(name))
	}
	return list, nil
}

// ReadMenu is one of them.
func ReadMenu(ctx context.Context, from postgres.Source, name string) (ShownMenu, error) {
	if !slices.Contains(Menus, name) {
		return ShownMenu{}, problem.Missing("menu")
	}
	s, err := read(ctx, from)
	return s.menu(name), err
}

func refsOf(items []Item, at string) (r refs) {
	for i, item := range items {
		at := fmt.Sprintf("%s/%d", at, i)
		r.link(at+"/link", &item.Link)
		r = append(r, refsOf(item.Items, at+"/items")...)
	}
	return r
}

// UpdateMenu changes a menu by a merge patch. Shoppers see it at once.
func UpdateMenu(ctx context.Context, tx *postgres.Tx, name string, meant int, patch json.RawMessage) error {
	if !slices.Contains(Menus, name) {
		return problem.Missing("menu")
	}
	s, err := lock(ctx, tx)
	if err != nil {
		return err
	}
	was := s.menu(name)
	if err := problem.Outdated(was.Version, meant); err != nil {
		return err
	}
	type told struct { // in the words of the contract, for the audit
		Items []Item `json:"items"`
	}
	before := told{was.Items}
	after, err := merge.Patched(before, patch)
	if err != nil {
		return fmt.Errorf("change the %s menu: %w", name, err)
	}
	wrong := problem.New(problem.Unprocessable, "invalid_menu", "The menu cannot be kept as it is.")
	checkItems(wrong, after.Items, "/items", map[string]bool{}, 2)
	if err := refsOf(after.Items, "/items").exist(ctx, tx, refsOf(was.Items, "/items"), wrong); err != nil {
		return err
	}
	if err := wrong.OrNil(); err != nil {
		return err
	}
	now := clock.Now()
	menu := Menu{Items: after.Items, Version: was.Version + 1, UpdatedAt: &now}
	if _, err := tx.Exec(ctx, `update settings set menus = menus || jsonb_build_object($1::text, $2::jsonb) where id = 1`, name, menu); err != nil {
		return fmt.Errorf("keep the %s menu: %w", name, err)
	}
	stores.Touch(tx)
	journal.SettingsUpdated(ctx, tx, "menus")
	journal.Audit(ctx, tx, journal.Entry{Action: "menu.update", ObjectID: name, Before: before, After: after})
	return nil
}

func checkItems(wrong *problem.Problem, items []Item, at string, seen map[string]bool, deep int) {
	if len(items) > mostLinks {
		wrong.At(at, "maxItems", "At most %d links stand beside each other.", mostLinks)
	}
	if len(items) > 0 && deep == 0 {
		wrong.At(at, "maxItems", "A menu is two levels deep.")
		return
	}
	for i := range items {
		item, at := &items[i], fmt.Sprintf("%s/%d", at, i)
		switch {
		case len(item.ID) > 40 || !sectionID.MatchString(item.ID):
			wrong.At(at+"/id", "pattern", "It is made of at most 40 lower-case letters and digits, with single hyphens or underscores in between.")
		case seen[item.ID]:
			wrong.At(at+"/id", "repeated", "Another link has this ID.")
		}
		seen[item.ID] = true
		own(wrong, &item.Label, at+"/label", 60)
		if item.Link.check(wrong, at+"/link"); item.Label == nil && item.Link.Type == "url" {
			wrong.At(at+"/label", "required", "What is it called?")
		}
		checkItems(wrong, item.Items, at+"/items", seen, deep-1)
	}
}
