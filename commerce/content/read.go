package content

import (
	"context"
	"errors"
	"fmt"

	"github.com/stoacommerce/stoa/commerce/translations"
	"github.com/stoacommerce/stoa/platform/postgres"
	"github.com/stoacommerce/stoa/platform/problem"
)

// What follows is SQL that writes the API's JSON. Entries are t.

// shown is the SQL of whether shoppers can see an entry.
const shown = `t.published_at <= now()`

var staffJSON = map[Kind]string{
	Page: `json_build_object(` + common + `, 'purpose', nullif(t.purpose, ''))`,
	Post: `json_build_object(` + common + `, 'excerpt', nullif(t.excerpt, ''), 'author', nullif(t.author, ''))`,
}

var common = `'id', t.id, 'handle', t.handle, 'title', t.title, 'body_html', t.body, 'image_id', t.image_id, 'seo_title', nullif(t.seo_title, ''), 'seo_description', nullif(t.seo_description, ''),
	'state', case when t.published_at is null then 'draft' when t.published_at > now() then 'scheduled' else 'published' end, 'published_at', ` + postgres.UTC("t.published_at") + `,
	'created_at', ` + postgres.UTC("t.created_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at")

func each(make func(Kind) string) map[Kind]string {
	return map[Kind]string{Page: make(Page), Post: make(Post)}
}

var (
	listSQL = each(func(k Kind) string {
		return postgres.List{From: "contents t where t.kind = '" + string(k) + "'", Each: staffJSON[k], Order: "t.id desc", After: "t.id < $2", Position: "t.id"}.SQL()
	})
	oneSQL = each(func(k Kind) string {
		return `select t.version || E'\n' || ` + staffJSON[k] + ` from contents t where t.kind = '` + string(k) + `' and t.id = $1`
	})
)

// List is a page of entries, the latest first, as the API shows them.
func List(ctx context.Context, db *postgres.DB, kind Kind, after string, limit int) (postgres.Page, error) {
	return db.Page(ctx, listSQL[kind], limit, after)
}

// Read is one of them.
func Read(ctx context.Context, from postgres.Source, kind Kind, id string) (postgres.Object, error) {
	o, err := from.Object(ctx, oneSQL[kind], id)
	return postgres.Found(o, err, string(kind))
}

// shopJSON is an entry as shoppers read it, with its body where that is wanted. media is the SQL
// of what media addresses begin with.
func shopJSON(kind Kind, in translations.In, media string, body bool) string {
	said := in.Said(`t.translations`)
	text := func(key, column string) string { return in.Text(said, key, column) }
	json := `jsonb_build_object('id', t.id, 'handle', t.handle, 'title', ` + text(`title`, `t.title`) + `, 'seo_title', nullif(` + text(`seo_title`, `t.seo_title`) + `, ''),
	'seo_description', nullif(` + text(`seo_description`, `t.seo_description`) + `, ''), 'published_at', ` + postgres.UTC("t.published_at") + `, 'updated_at', ` + postgres.UTC("t.updated_at") + `,
	'image', (select w.image from (select t.image_id as wanted) o cross join lateral (
		select ` + ImageJSON(media, in.Text(in.Said(`t.translations`), `alt`, `t.alt`), "") + ` as image from images t where t.id = o.wanted and t.product_id is null and t.state = 'ready') w)`
	if kind == Page {
		json += `, 'purpose', nullif(t.purpose, '')`
	} else {
		json += `, 'excerpt', nullif(` + text(`excerpt`, `t.excerpt`) + `, ''), 'author', nullif(t.author, '')`
	}
	if body {
		json += `, 'body_html', ` + text(`body_html`, `t.body`)
	}
	return json + `)`
}

type spoken = map[Kind]translations.Spoken

func speak(locales int, statement func(Kind, translations.In) string) spoken {
	all := spoken{}
	for _, kind := range []Kind{Page, Post} {
		all[kind] = translations.Speak(locales, func(in translations.In) string { return statement(kind, in) })
	}
	return all
}

var (
	shopListSQL = shopList(false)
	shopFeedSQL = shopList(true)
	shopOneSQL  = speak(3, func(k Kind, in translations.In) string {
		return `select t.version || E'\n' || ` + shopJSON(k, in, "$1", true) + ` from contents t where t.kind = '` + string(k) + `' and (t.handle = $2 or t.id = $2) and ` + shown
	})
)

func shopList(body bool) spoken {
	return speak(4, func(k Kind, in translations.In) string {
		return postgres.List{
			From: "contents t where t.kind = '" + string(k) + "' and " + shown, Each: shopJSON(k, in, "$3", body), Order: "t.published_at desc, t.id desc",
			After:    "(t.published_at, t.id) < (to_timestamp(nullif(split_part($2, ':', 1), '')::numeric / 1000000), split_part($2, ':', 2))",
			Position: "(extract(epoch from t.published_at) * 1000000)::bigint || ':' || t.id",
		}.SQL()
	})
}

// ShopFeed is the latest of what is published, with the bodies.
func ShopFeed(ctx context.Context, db *postgres.DB, kind Kind, media string, locales []string, limit int) (postgres.Page, error) {
	statement, args := shopFeedSQL[kind].In(locales, limit, "", media)
	return db.Page(ctx, statement, args...)
}

// ShopList is a page of what is published, the latest first, without the bodies.
func ShopList(ctx context.Context, db *postgres.DB, kind Kind, media string, locales []string, after string, limit int) (postgres.Page, error) {
	statement, args := shopListSQL[kind].In(locales, limit, after, media)
	return db.Page(ctx, statement, args...)
}

// ShopOne is what is published, by its handle or its ID.
func ShopOne(ctx context.Context, db *postgres.DB, kind Kind, media string, locales []string, handleOrID string) (postgres.Object, error) {
	statement, args := shopOneSQL[kind].In(locales, media, handleOrID)
	o, err := db.Object(ctx, statement, args...)
	return postgres.Found(o, err, string(kind))
}

const movedSQL = `select t.handle from former_handles f join contents t on t.id = f.object_id
	where f.kind = $1 and t.kind = $1 and f.handle = $2 and not exists (select from contents where kind = $1 and handle = $2) and ` + shown

// Moved is the handle that an entry has now which once had another.
func Moved(ctx context.Context, db *postgres.DB, kind Kind, handle string) (string, error) {
	raw, err := db.JSON(ctx, movedSQL, string(kind), handle)
	if errors.Is(err, postgres.ErrNoRows) {
		return "", problem.Missing(string(kind))
	}
	if err != nil {
		return "", fmt.Errorf("look for what was called %s: %w", handle, err)
	}
	return string(raw), nil
}

const handlesSQL = `select coalesce(json_agg(json_build_object('kind', t.kind, 'handle', t.handle, 'updated_at', to_char(t.updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) order by t.id desc), '[]')::text
	from contents t where ` + shown

// Handles are the handles of all that is published, and when each was changed; for lists of what
// there is.
func Handles(ctx context.Context, db *postgres.DB) ([]byte, error) {
	raw, err := db.JSON(ctx, handlesSQL)
	if err != nil {
		return nil, fmt.Errorf("list what is published: %w", err)
	}
	return raw, nil
}
