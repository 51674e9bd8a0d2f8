package translations

// arranged are the texts that a merchant has arranged a shop with: those of the theme, as it is
// to be published next, and of the menus. A section's are known by its ID, and so are a link's.
var arranged = `(select coalesce(jsonb_agg(jsonb_build_array(w.key, w.text, w.form, w.most) order by w.place, w.n, w.m), '[]')
	from (select coalesce(x.theme_draft, nullif(x.theme->'design', 'null'), '{}') as is_) d cross join lateral (
		select 'announcement', d.is_->'announcement'->>'text', 'line', 200, 0, 0, 0
		union all select 'home/' || (s.is_->>'id') || '/' || f.key, f.text, f.form, f.most, 1, s.n, f.m
		from jsonb_array_elements(case jsonb_typeof(d.is_->'home') when 'array' then d.is_->'home' else '[]' end) with ordinality s(is_, n) cross join lateral (values
			('eyebrow', s.is_->>'eyebrow', 'line', 200, 0), ('heading', s.is_->>'heading', 'line', 200, 1), ('text', s.is_->>'text', 'text', 1000, 2),
			('body_html', s.is_->>'body_html', 'html', 20000, 3), ('button', s.is_->'button'->>'label', 'line', 60, 4),
			('second_button', s.is_->'second_button'->>'label', 'line', 60, 5)) f(key, text, form, most, m)
		union all select 'home/' || (s.is_->>'id') || '/' || f.key, f.text, f.form, f.most, 1, s.n, 10 + f.m
		from jsonb_array_elements(case jsonb_typeof(d.is_->'home') when 'array' then d.is_->'home' else '[]' end) with ordinality s(is_, n) cross join lateral (
			select 'pictures/' || (p.n - 1) || '/caption', p.is_->>'caption', 'line', 200, p.n
			from jsonb_array_elements(coalesce(s.is_->'pictures', '[]')) with ordinality p(is_, n)
			union all select 'questions/' || (q.n - 1) || '/question', q.is_->>'question', 'line', 200, 2 * q.n
			from jsonb_array_elements(coalesce(s.is_->'questions', '[]')) with ordinality q(is_, n)
			union all select 'questions/' || (q.n - 1) || '/answer_html', q.is_->>'answer_html', 'html', 5000, 2 * q.n + 1
			from jsonb_array_elements(coalesce(s.is_->'questions', '[]')) with ordinality q(is_, n)) f(key, text, form, most, m)
		union all select 'menus/' || m.name || '/' || (i.is_->>'id'), i.is_->>'label', 'line', 60, 2, ascii(m.name), 0
		from jsonb_each(x.menus) m(name, is_) cross join lateral jsonb_path_query(m.is_, 'strict $.** ? (exists (@.link))') i(is_)
	) w(key, text, form, most, place, n, m)
	where w.text <> '')`
