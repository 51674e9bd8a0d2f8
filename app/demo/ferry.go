package demo

import (
	"github.com/stoacommerce/stoa/app/demo/still"
	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// nightFerry roasts coffee on a lake, and speaks another language, in another currency.
var nightFerry = shop{
	birth: stores.Birth{
		Name: "Nachtfähre", Address: "nachtfaehre", Country: "CH", Currency: "CHF", Plan: "growth",
		ContactEmail: "ahoi@nachtfaehre.example.com", Demo: true,
	},
	locale: "de-CH", accent: "#1f4a6d",
	description: "Kaffee, der die Nacht durchfährt. Wir rösten zweimal die Woche in einem alten Bootshaus am See, in kleinen Trommeln und ohne Eile, " +
		"und verschicken am selben Abend.",
	seller: address.Address{Name: "Nachtfähre", Line1: "Am Steg 4", City: "Musterhausen", PostalCode: "8000", Country: "CH"},
	others: []rate{{"EUR", 104, 10}},
	shipping: []area{
		{"Schweiz und Liechtenstein", []string{"CH", "LI"}, []parcel{
			{name: "Mit der Post", description: "Abends geröstet, in ein bis drei Tagen im Briefkasten", price: 690, freeFrom: 8000},
			{name: "Selbst abholen", description: "Am Steg 4, dienstags bis samstags", pickup: &address.Address{
				Name: "Zum Abholen", Line1: "Am Steg 4", City: "Musterwil", PostalCode: "8000", Country: "CH",
			}},
		}},
		{"Nachbarn", []string{"DE", "AT", "FR", "IT"}, []parcel{{name: "Über die Grenze", description: "Drei bis sechs Werktage", price: 1290}}},
	},
	taxes: []settings.TaxInput{
		{Country: "DE", Name: "MwSt.", Percentage: "19", AppliesToShipping: true}, {Country: "AT", Name: "USt.", Percentage: "20", AppliesToShipping: true},
	},
	shelves: []shelf{
		{"Kaffee", "Zwei Röstungen für alle Tage, sechs von einzelnen Höfen, und eine ohne Koffein.", []string{"Espresso", "Filterkaffee", "Zum Kennenlernen"}},
		{"Zubereiten", "Was es braucht, um aus guten Bohnen guten Kaffee zu machen. Mehr nicht.", nil},
		{"Tassen", "Zum Trinken am Tisch, im Stehen und unterwegs.", nil},
		{"Aus dem Bootshaus", "Für alle, die gerade keinen Kaffee möchten, und zum Verschenken.", []string{"Süsses und Tee", "Geschenke"}},
	},
	collections: []collection{
		{"Der erste Kaffee", "<p>Alles, was man am Anfang braucht: eine milde Röstung, ein Filter, ein Kessel und etwas Geduld.</p>",
			[]string{"filterhalter", "handmuehle", "papierfilter", "waage", "morgenwache", "schwanenhals"}},
		{"Geschenke bis 40 Franken", "<p>Klein, gut verpackt und schnell ausgetrunken.</p>",
			[]string{"probierset", "schokolade", "kakao", "tasche", "honig", "kalte-ueberfahrt"}},
	},
	goods: ferryGoods,
	pages: []article{
		{title: "Über uns", text: "<p>Die Nachtfähre ist ein Beispiel: Ihre Päckchen hat das Programm gezeichnet, das sie zeigt. Sonst hat sie alles, was ein Shop hat. Probieren Sie sie aus.</p>"},
		{title: "Impressum", purpose: "legal_notice", text: "<p>Nachtfähre, Am Steg 4, 8000 Musterhausen, Schweiz</p><p>Das ist eine Vorführung. Hier wird nichts verkauft.</p>"},
		{title: "AGB", purpose: "terms", text: "<p>Das ist eine Vorführung: Bestellungen nimmt ein Testanbieter entgegen, und kein Geld wird bewegt.</p>"},
		{title: "Datenschutz", purpose: "privacy", text: "<p>Dieser Shop läuft auf Ihrem eigenen Rechner. Was Sie ihm sagen, bleibt dort.</p>"},
	},
	look: func(made map[string]string) object {
		return object{
			"theme": "brand", "colors": object{"background": "#fdf8ee", "text": "#16222f", "button": "#c93f22", "button_text": "#ffffff", "accent": "#b03218"},
			"dark_colors":  object{"background": "#101a26", "text": "#f6efe2", "button": "#ec6546", "accent": "#ff9a80"},
			"announcement": object{"text": "Dienstags und freitags geröstet, am selben Abend verschickt"},
			"home": []object{
				{"id": "hero", "type": "hero", "heading": "Kaffee, der die Nacht durchfährt", "text": "Zweimal die Woche geröstet, in einem alten Bootshaus am See.",
					"button": object{"label": "Zum Kaffee", "link": object{"type": "products"}}, "second_button": object{"label": "Für den Anfang", "link": object{"type": "collection", "resource_id": made["Der erste Kaffee"]}}},
				{"id": "tasting", "type": "featured_product", "eyebrow": "Zum Kennenlernen", "product_id": made["probierset"], "layout": "image_end"},
				{"id": "first", "type": "featured_collection", "collection_id": made["Der erste Kaffee"], "limit": 6},
				{"id": "boathouse", "type": "rich_text", "heading": "Ein Bootshaus, zwei Trommeln, kein Schlaf", "body_html": "<p>Um vier Uhr früh wird es am Wasser am stillsten. Dann rösten wir: kleine Mengen, langsam, " +
					"und nur so viel, wie in der Woche getrunken wird.</p>"},
				{"id": "gifts", "type": "featured_collection", "collection_id": made["Geschenke bis 40 Franken"], "limit": 3},
				{"id": "letters", "type": "newsletter", "heading": "Post vom Steg", "text": "Was gerade aus der Trommel kommt, einmal im Monat."},
			},
		}
	},
}

// label is a print on the paper of the house.
func label(name, line, motif, first, second, ink string) still.Print {
	return still.Print{Name: name, Line: line, Motif: motif, Paper: still.Hex("f4ecdc"), Ink: still.Hex(ink), First: still.Hex(first), Second: still.Hex(second)}
}

var (
	harbourLight = label("Hafenlicht", "Hausmischung · Espresso", "sun", "f0b552", "d9532f", "26303f")
	morningWatch = label("Morgenwache", "Hausmischung · Filter", "rays", "f2c9a0", "e2763f", "274060")
	beacon       = label("Leuchtfeuer", "Kenia · gewaschen", "rings", "f4ecdc", "c8372d", "23303f")
	northWind    = label("Nordwind", "Äthiopien · natur", "hills", "bcd8df", "4f8f9d", "16324a")
	newMoon      = label("Neumond", "Ohne Koffein", "moon", "2c3560", "f0d9a0", "1d2340")
	foliage      = label("Blattwerk", "Brasilien · halbgewaschen", "leaves", "dbe2c6", "5d8a56", "234a3a")
	mosaic       = label("Mosaik", "Guatemala · gewaschen", "tiles", "f3d7c8", "d1673f", "5a2c47")
	longSwell    = label("Lange Welle", "Sumatra · nass geschält", "waves", "e9c46a", "2a9d8f", "17384a")
	coldCrossing = label("Kalte Überfahrt", "Kalt gebrüht · 500 ml", "waves", "cfe3ea", "3f8fa8", "14304a")
	cocoa        = label("Kakao", "Rein · 70 %", "hills", "ecc9b0", "a8552f", "40231a")
	mint         = label("Nachtminze", "Kräuter", "leaves", "d5e5d8", "5f9a7a", "1f4a44")
	black        = label("Ostwind", "Schwarztee", "sun", "f3d2b5", "c4562f", "3b2320")
	green        = label("Uferschilf", "Grüntee", "rays", "e3e6c3", "8fa856", "2f4a2f")
	bitter       = label("Bitter", "Schokolade · 72 %", "tiles", "e7d0c2", "b0553a", "3a2233")
	milk         = label("Hell", "Schokolade · 45 %", "waves", "f1dcb8", "d79a4a", "5a3a24")
	house        = label("Nachtfähre", "Bootshaus am See", "moon", "22456b", "f2dca6", "17304a")
)

var (
	espresso  = []string{"Kaffee", "Espresso"}
	filter    = []string{"Kaffee", "Filterkaffee"}
	samples   = []string{"Kaffee", "Zum Kennenlernen"}
	brewing   = []string{"Zubereiten"}
	cups      = []string{"Tassen"}
	sweets    = []string{"Aus dem Bootshaus", "Süsses und Tee"}
	boathouse = []string{"Aus dem Bootshaus", "Geschenke"}
)

// coffee is a bag of coffee, in three sizes and as three grinds.
func coffee(handle string, p still.Print, ground still.Backdrop, in []string, small int64, text string, tags ...string) good {
	return good{
		handle: handle, title: p.Name, in: in, kind: "Kaffee", tags: append([]string{"kaffee"}, tags...), price: small, stock: 40, grams: 250,
		text: text,
		options: []option{
			{"Packung", []choice{at("250 g", small), at("500 g", small*19/10/10*10), at("1 kg", small*36/10/10*10)}},
			{"Mahlgrad", []choice{{name: "Ganze Bohnen"}, {name: "Für Filter"}, {name: "Für Espresso"}}},
		},
		views: []still.Picture{still.Bag(p, ground)},
	}
}

var ferryGoods = []good{
	coffee("hafenlicht", harbourLight, still.Coral, espresso, 1290,
		`<p>Unser Kaffee für alle Tage. Er schmeckt nach Nougat, gerösteten Haselnüssen und ein wenig nach Orangenschale, verzeiht eine ungenaue Mühle und verträgt Milch.</p><ul><li>Brasilien und Guatemala</li><li>Mittel geröstet</li><li>Für Siebträger, Kanne und Vollautomat</li></ul>`, "espresso", "mischung"),
	coffee("lange-welle", longSwell, still.Teal, espresso, 1490,
		`<p>Tief, würzig und lang: Zedernholz, dunkle Schokolade, schwarzer Pfeffer. Ein Kaffee für den Herbst und für kleine Tassen.</p><ul><li>Sumatra, Hochland von Gayo</li><li>Kräftig geröstet</li></ul>`, "espresso", "sumatra"),
	coffee("nordwind", northWind, still.Sky, filter, 1690,
		`<p>Blaubeere, Jasmin, ein Hauch von Bergamotte. Getrocknet in der ganzen Frucht, auf hohen Betten, gewendet von Hand. Wer glaubt, Kaffee schmecke nach Kaffee, möge hier anfangen.</p><ul><li>Äthiopien, 2000 Meter</li><li>Hell geröstet</li></ul>`, "filter", "äthiopien"),
	{
		handle: "schwanenhals", title: "Wasserkessel mit Schwanenhals", in: brewing, kind: "Kessel", tags: []string{"kessel", "filter"}, price: 8900, former: 10900, stock: 12, grams: 1200,
		text: `<p>Ein dünner Strahl, genau dorthin, wo er hin soll. Der Griff aus Nussholz bleibt kühl, der Deckel bleibt zu. Für Gas, Herdplatte und Induktion.</p><p>Ein Liter.</p>`,
		options: []option{{"Ausführung", []choice{
			in("Schwarz", still.Kettle(still.MatBlack, still.Walnut, still.Cream)), in("Tannengrün", still.Kettle(still.PineGreen, still.Walnut, still.Blossom)), in("Emaille", still.Kettle(still.Enamel, still.MatBlack, still.Cobalt)), in("Stahl", still.Kettle(still.Steel, still.MatBlack, still.Mustard)),
		}}},
	},
	coffee("morgenwache", morningWatch, still.Blossom, filter, 1290,
		`<p>Mild und klar, mit einer Süsse wie von reifen Aprikosen. Der Kaffee für die grosse Kanne und die langen Sonntage.</p><ul><li>Guatemala und Äthiopien</li><li>Hell bis mittel geröstet</li></ul>`, "filter", "mischung"),
	coffee("leuchtfeuer", beacon, still.Mustard, filter, 1790,
		`<p>Schwarze Johannisbeere, Grapefruit und eine Säure, die leuchtet. Von kleinen Höfen am Hang des Kenia, gewaschen und zweimal verlesen.</p><ul><li>Kenia, Nyeri</li><li>Hell geröstet</li></ul>`, "filter", "kenia"),
	{
		handle: "tasse-mit-untertasse", title: "Tasse mit Untertasse", in: cups, kind: "Tasse", tags: []string{"tasse", "steinzeug"}, price: 2900, stock: 30, grams: 520,
		text: `<p>Für den Kaffee, zu dem man sich setzt. Dickwandig, damit er warm bleibt, und innen rund, damit die Milch sich dreht.</p><p>180 ml, spülmaschinenfest.</p>`,
		options: []option{{"Glasur", []choice{
			in("Tinte", still.Cup(still.Ink, still.Blossom)), in("Honig", still.Cup(still.Honey, still.Cobalt)), in("Hafer", still.Cup(still.Oat, still.Teal)),
		}}},
	},
	coffee("blattwerk", foliage, still.Forest, espresso, 1390,
		`<p>Weich wie Karamell, mit Mandel und Milchschokolade. Wenig Säure, viel Körper.</p><ul><li>Brasilien, Cerrado</li><li>Mittel geröstet</li></ul>`, "espresso", "brasilien"),
	coffee("mosaik", mosaic, still.Plum, espresso, 1590,
		`<p>Rote Äpfel, Kakao, ein Ende wie von braunem Zucker. Fein als Espresso, erstaunlich im Filter.</p><ul><li>Guatemala, Huehuetenango</li><li>Mittel geröstet</li></ul>`, "espresso", "guatemala"),
	{
		handle: "filterhalter", title: "Filterhalter aus Porzellan", in: brewing, kind: "Filterhalter", tags: []string{"filter", "porzellan"}, price: 3400, stock: 24, grams: 520,
		text: `<p>Sechzig Grad, drei Rillen, ein grosses Loch. Er hält die Wärme, weil er schwer ist, und lässt dem Wasser seine Zeit. Passt auf Tasse und Kanne; die Kanne auf dem Bild ist nicht dabei.</p>`,
		options: []option{{"Farbe", []choice{
			in("Kreide", still.Dripper(still.Chalk, still.Mustard)), in("Tinte", still.Dripper(still.Ink, still.Coral)), in("Salbei", still.Dripper(still.Moss, still.Cream)),
		}}},
	},
	{
		handle: "handmuehle", title: "Handmühle", in: brewing, kind: "Mühle", tags: []string{"mühle", "reise"}, price: 11900, stock: 9, grams: 640,
		text: `<p>Kegel aus Stahl, vierzig Stufen, dreissig Sekunden für eine Tasse. Leise genug, um niemanden zu wecken.</p>`,
		options: []option{{"Farbe", []choice{
			in("Stahl", still.Grinder(still.Steel, still.Teal)), in("Messing", still.Grinder(still.Brass, still.Night)), in("Tannengrün", still.Grinder(still.PineGreen, still.Cream)),
		}}},
	},
	coffee("neumond", newMoon, still.Night, espresso, 1490,
		`<p>Ohne Koffein und ohne Verzicht: Datteln, Malz, ein wenig Zimt. Entzogen wird mit Wasser, sonst nichts.</p><ul><li>Kolumbien</li><li>Mittel geröstet</li></ul>`, "espresso", "entkoffeiniert"),
	{
		handle: "presskanne", title: "Presskanne", in: brewing, kind: "Kanne", tags: []string{"kanne", "glas"}, price: 4900, stock: 18, grams: 900,
		text: `<p>Grob mahlen, vier Minuten warten, langsam drücken. Mehr muss man nicht können.</p><p>Ein Liter, Glas zum Nachkaufen.</p>`,
		options: []option{{"Metall", []choice{
			in("Messing", still.Press(still.Brass, still.Sky)), in("Stahl", still.Press(still.Steel, still.Coral)), in("Schwarz", still.Press(still.MatBlack, still.Mustard)),
		}}},
	},
	{
		handle: "probierset", title: "Probierset: zweimal 125 g", in: samples, kind: "Kaffee", tags: []string{"kaffee", "geschenk", "set"}, price: 1590, stock: 35, grams: 250,
		text: `<p>Zwei Röstungen, die sich nicht ähnlich sehen. Für alle, die noch nicht wissen, auf welcher Seite des Sees sie wohnen.</p>`,
		options: []option{{"Paar", []choice{
			in("Tag und Nacht", still.Bags(morningWatch, newMoon, still.Cream)), in("Nord und Süd", still.Bags(northWind, longSwell, still.Blossom)),
		}}},
	},
	{
		handle: "kalte-ueberfahrt", title: "Kalte Überfahrt", in: samples, kind: "Kaffee", tags: []string{"kaffee", "kalt", "sommer"}, price: 990, stock: 44, grams: 900,
		text:  `<p>Achtzehn Stunden in kaltem Wasser gezogen, zweimal gefiltert. Auf Eis mit einer Scheibe Orange, oder so.</p><p>500 ml, im Kühlschrank vier Wochen haltbar.</p>`,
		views: []still.Picture{still.Bottle(coldCrossing, still.Sky)},
	},
	{
		handle: "reisebecher", title: "Reisebecher", in: cups, kind: "Becher", tags: []string{"becher", "reise"}, price: 3900, stock: 27, grams: 360,
		text: `<p>Doppelwandig, mit einem Band aus Kork. Hält fünf Stunden warm und keine Minute undicht.</p><p>350 ml.</p>`,
		options: []option{{"Farbe", []choice{
			in("Tannengrün", still.Flask(still.PineGreen, still.Cream)), in("Emaille", still.Flask(still.Enamel, still.Coral)), in("Schwarz", still.Flask(still.MatBlack, still.Sky)),
		}}},
	},
	{
		handle: "bohnen-im-angebot", title: "Rohkaffee zum Selberrösten", in: samples, kind: "Kaffee", tags: []string{"kaffee"}, price: 1190, stock: 0, grams: 500,
		text:  `<p>Für Neugierige mit einer Pfanne und offenem Fenster. Zurzeit auf See; der nächste Sack kommt im Frühling.</p>`,
		views: []still.Picture{still.Beans(still.Oat, still.Forest)},
	},
	{
		handle: "waage", title: "Waage mit Uhr", in: brewing, kind: "Waage", tags: []string{"waage", "filter"}, price: 5900, stock: 14, grams: 480,
		text:  `<p>Auf ein Zehntelgramm genau, mit einer Uhr, die von selbst anfängt. Flach genug für jede Schublade.</p>`,
		views: []still.Picture{still.Scale(still.Cobalt).Closer(1.15, 410, 640)},
	},
	{
		handle: "papierfilter", title: "Papierfilter, 100 Stück", in: brewing, kind: "Filter", tags: []string{"filter", "papier"}, price: 690, stock: 160, grams: 190,
		text: `<p>Ungebleicht oder weiss, aus dickem Papier, das nach nichts schmeckt. Vorher einmal spülen.</p>`,
		options: []option{{"Papier", []choice{
			in("Weiss", still.Filters(still.Hex("f4efe6"), still.Forest)), in("Natur", still.Filters(still.Hex("cdb08a"), still.Cream)),
		}}},
	},
	{
		handle: "espressobecher", title: "Espressobecher, drei Stück", in: cups, kind: "Becher", tags: []string{"becher", "espresso", "set"}, price: 4200, stock: 20, grams: 540,
		text: `<p>Ohne Henkel, stapelbar, ein Schluck und noch einer. 80 ml.</p>`,
		options: []option{{"Farben", []choice{
			in("Honig und Tinte", still.EspressoCups(still.Honey, still.Ink, still.Teal)), in("Rost und Kreide", still.EspressoCups(still.Rust, still.Chalk, still.Sky)),
		}}},
	},
	{
		handle: "bordbecher", title: "Bordbecher", in: cups, kind: "Becher", tags: []string{"becher", "steinzeug"}, price: 2400, stock: 32, grams: 380,
		text: `<p>Schwer genug für Seegang, mit einem Henkel für kalte Finger. 330 ml.</p>`,
		options: []option{{"Glasur", []choice{
			in("Tinte", still.Mug(still.Ink, still.Coral)), in("Kreide", still.Mug(still.Chalk, still.Cobalt)), in("Honig", still.Mug(still.Honey, still.Cream)),
		}}},
	},
	{
		handle: "kakao", title: "Kakao in der Dose", in: sweets, kind: "Kakao", tags: []string{"kakao", "geschenk"}, price: 1690, stock: 38, grams: 400,
		text:  `<p>Nur Kakao und Rohrzucker, grob gemahlen. Zwei Löffel in heisse Milch, rühren, aus dem Fenster sehen.</p>`,
		views: []still.Picture{still.Tin(cocoa, still.Hex("c9a15a"), still.Blossom)},
	},
	{
		handle: "schokolade", title: "Schokolade", in: sweets, kind: "Schokolade", tags: []string{"schokolade", "geschenk"}, price: 790, stock: 70, grams: 80,
		text:    `<p>Gewalzt mit einer Prise von unserem Hafenlicht. 70 Gramm, einundzwanzig Stücke, selten mehr als ein Abend.</p>`,
		options: []option{{"Sorte", []choice{in("Bitter", still.Bar(bitter, still.Cream)), in("Hell", still.Bar(milk, still.Sky))}}},
	},
	{
		handle: "teedosen", title: "Drei Tees in Dosen", in: sweets, kind: "Tee", tags: []string{"tee", "geschenk", "set"}, price: 3600, stock: 22, grams: 420,
		text:  `<p>Ein schwarzer, ein grüner und Minze, alle lose, alle in Dosen, die man behält.</p>`,
		views: []still.Picture{still.Tins(black, mint, green, still.Hex("2d3440"), still.Cream)},
	},
	{
		handle: "honig", title: "Lindenhonig", in: sweets, kind: "Honig", tags: []string{"honig", "geschenk"}, price: 1450, stock: 26, grams: 420,
		text:  `<p>Von den Bienen hinter dem Bootshaus. Kalt geschleudert, cremig gerührt.</p>`,
		views: []still.Picture{still.Jar(label("Lindenhonig", "Vom Ufer", "leaves", "f6dfa4", "d99a2b", "4a3314"), still.Sky)},
	},
	{
		handle: "matcha-set", title: "Matcha-Set", in: sweets, kind: "Tee", tags: []string{"tee", "matcha", "set"}, price: 5400, stock: 11, grams: 700,
		text:  `<p>Eine Schale, ein Besen aus Bambus und dreissig Gramm Matcha. Sieben Bewegungen, ein W, fertig.</p>`,
		views: []still.Picture{still.MatchaSet(still.Moss, still.Cream)},
	},
	{
		handle: "tasche", title: "Tasche aus Segeltuch", in: boathouse, kind: "Tasche", tags: []string{"tasche", "geschenk"}, price: 2600, stock: 33, grams: 280,
		text:    `<p>Trägt acht Kilo Kaffee oder ein nasses Handtuch. Bedruckt bei uns, von Hand.</p>`,
		options: []option{{"Motiv", []choice{in("Welle", still.Tote(longSwell, still.Mustard)), in("Mond", still.Tote(newMoon, still.Blossom))}}},
	},
	{
		handle: "kaffee-an-bord", title: "Kaffee an Bord, ein Handbuch", in: boathouse, kind: "Buch", tags: []string{"buch", "geschenk"}, price: 2900, stock: 19, grams: 600,
		text:  `<p>Alles, was wir über Bohnen, Wasser und Zeit gelernt haben, auf 144 Seiten und ohne ein Diagramm zu viel.</p>`,
		views: []still.Picture{still.Book(label("Kaffee an Bord", "Bohnen, Wasser, Zeit", "hills", "f4d0a8", "c4643f", "3a2a2a"), still.Plum)},
	},
	{
		handle: "geschenkkarton", title: "Geschenkkarton", in: boathouse, kind: "Geschenk", tags: []string{"geschenk", "set"}, price: 4900, stock: 15, grams: 1100,
		text:  `<p>Hafenlicht, eine Tafel Bitter und zwei Espressobecher, in Seidenpapier und mit einer Karte, die wir gern für Sie beschreiben.</p>`,
		views: []still.Picture{still.Parcel(house, still.Sky)},
	},
	{
		handle: "gutschein", title: "Gutschein", in: boathouse, kind: "Gutschein", tags: []string{"geschenk"}, price: 3000, stock: 500, grams: 20,
		text:    `<p>Auf dickem Karton, gestempelt am Steg. Gilt, solange die Fähre fährt.</p>`,
		options: []option{{"Wert", []choice{at("30", 3000), at("60", 6000), at("120", 12000)}}},
		views:   []still.Picture{still.Card(house, still.Mustard)},
	},
}
