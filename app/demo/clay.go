package demo

import (
	"github.com/stoacommerce/stoa/app/demo/still"
	"github.com/stoacommerce/stoa/commerce/address"
	"github.com/stoacommerce/stoa/commerce/settings"
	"github.com/stoacommerce/stoa/tenants/stores"
)

// Colours of cloth and wood.
var (
	sand, natural, walnutBrown = still.Hex("d9c9ad"), still.Hex("c9b79b"), still.Hex("7c5535")
	rust, sage, night, rose    = still.Hex("a85a3a"), still.Hex("7c8763"), still.Hex("39455a"), still.Hex("c99a86")
)

// clayAndLinen sells ceramics, cloth and light.
var clayAndLinen = shop{
	birth: stores.Birth{
		Name: "Clay and Linen", Address: "clay-and-linen", Country: "DE", Currency: "EUR", Plan: "growth",
		ContactEmail: "hello@clay-and-linen.example.com", Demo: true,
	},
	locale: "en", accent: "#8c4a30",
	description: "Quiet things for every day. Stoneware thrown by hand, linen that softens with each wash, and light for long evenings. " +
		"Made in small batches, meant to be used.",
	seller: address.Address{Name: "Clay and Linen", Line1: "1 Sample Street", City: "Berlin", PostalCode: "10115", Country: "DE"},
	others: []rate{{"GBP", 86, 100}, {"USD", 112, 100}},
	shipping: []area{
		{"Near", []string{"DE", "AT"}, []parcel{
			{name: "Standard", description: "Packed in paper, with you in two to four working days", price: 490, freeFrom: 9000},
			{name: "Express", description: "Leaves us today when ordered before noon", price: 1290},
		}},
		{"Neighbours", []string{"FR", "NL", "BE", "LU", "DK", "IT", "ES"}, []parcel{
			{name: "Standard", description: "Packed in paper, with you in two to four working days", price: 490},
		}},
		{"Everywhere else", nil, []parcel{{name: "Worldwide", description: "Tracked, seven to twelve working days", price: 1990}}},
	},
	taxes: []settings.TaxInput{
		{Country: "AT", Name: "USt.", Percentage: "20", AppliesToShipping: true}, {Country: "FR", Name: "TVA", Percentage: "20", AppliesToShipping: true},
		{Country: "NL", Name: "BTW", Percentage: "21", AppliesToShipping: true}, {Country: "IT", Name: "IVA", Percentage: "22", AppliesToShipping: true},
	},
	shelves: []shelf{
		{"Tableware", "Stoneware for breakfast, dinner and everything in between. All of it goes into the dishwasher.", []string{"Cups and mugs", "Plates and bowls", "Serving"}},
		{"Vases", "From a single stem to an armful of olive branches.", nil},
		{"Textiles", "Linen, cotton and wool, woven densely and washed soft.", []string{"Cushions and throws", "Table linen"}},
		{"Around the house", "For the hour when the big light goes off, and for everything that wants a place.", []string{"Candles and lamps", "Kitchen and keeping"}},
	},
	collections: []collection{
		{"The slow table", "<p>Everything for a meal that takes its time: plates that stack, a jug that pours, linen that forgives.</p>",
			[]string{"linen-napkins", "pouring-jug", "salad-bowl", "candlesticks", "dinner-plates", "serving-platter", "oak-board"}},
		{"Small presents", "<p>For a birthday that was nearly forgotten, or for oneself.</p>",
			[]string{"cup-and-saucer", "candle-in-a-cup", "breakfast-bowl", "slow-table-book", "linen-napkins", "everyday-mug", "bud-vases"}},
	},
	goods: clayGoods,
	pages: []article{
		{title: "About us", text: "<p>Clay and Linen is a sample shop: its things are drawn by the program that shows them. It has everything that a real one has, so try what you like.</p><h2>The workshop</h2>" +
			"<p>We would throw, trim and glaze in a yard behind the station, weave with a mill two valleys away, and be found at the wheel most afternoons.</p>"},
		{title: "Legal notice", purpose: "legal_notice", text: "<p>Clay and Linen, 1 Sample Street, 10115 Berlin, Germany</p><p>This is a demonstration. Nothing is sold here.</p>"},
		{title: "Terms", purpose: "terms", text: "<p>This is a demonstration: orders are taken by a test payment provider, and no money moves.</p>"},
		{title: "Privacy", purpose: "privacy", text: "<p>This shop runs on your own machine, and so does what you tell it.</p>"},
		{title: "Right of withdrawal", purpose: "withdrawal", text: "<p>You may send back whatever you bought within 30 days, for any reason.</p>"},
	},
	posts: []article{
		{title: "Why linen gets better", excerpt: "Most cloth is at its best on the day that it is bought. Linen begins there.", text: "<p>Most cloth is at its best on the day that it is bought. Linen begins there: " +
			"with each wash the fibres part a little, and what was crisp becomes soft without becoming thin.</p><p>Wash it at 40 °C, hang it up wet, and leave the iron in its cupboard.</p>"},
		{title: "One firing, a hundred bowls", excerpt: "What happens between Thursday evening, when we close the kiln, and Saturday morning.", text: "<p>On Thursday evening we close the kiln. Until Friday noon it " +
			"climbs to 1,240 °C, and then nothing may be done but to wait.</p><p>On Saturday we open it a hand’s breadth, and hear the glaze sing as it cools.</p>"},
		{title: "How to set a slow table", excerpt: "Three plates, two candles, no hurry.", text: "<p>Three plates, two candles, no hurry. Put the bread in the middle, and the telephone into a drawer.</p>"},
	},
	look: func(made map[string]string) object {
		return object{
			"theme":        "boutique",
			"announcement": object{"text": "Sent free of charge within Germany and Austria from €90"},
			"home": []object{
				{"id": "hero", "type": "hero", "button": object{"label": "Look around", "link": object{"type": "products"}},
					"second_button": object{"link": object{"type": "collection", "resource_id": made["The slow table"]}}},
				{"id": "shelves", "type": "category_list", "heading": "By room and habit"},
				{"id": "new", "type": "product_grid", "heading": "New from the kiln"},
				{"id": "table", "type": "featured_collection", "collection_id": made["The slow table"]},
				{"id": "amphora", "type": "featured_product", "eyebrow": "A shape that stays", "product_id": made["amphora"]},
				{"id": "workshop", "type": "rich_text", "heading": "Made to be used", "body_html": "<p>Every piece is thrown, trimmed and glazed by the same two hands. We fire once a week, " +
					"and what does not come out of the kiln as it should becomes the gravel of our yard.</p><p>So nothing here is the same as the next, and all of it goes into the dishwasher.</p>"},
				{"id": "journal", "type": "blog_posts", "heading": "From the workshop"},
				{"id": "presents", "type": "featured_collection", "collection_id": made["Small presents"]},
				{"id": "asked", "type": "faq", "heading": "What we are asked", "questions": []object{
					{"question": "Does it go into the dishwasher?", "answer_html": "<p>All stoneware does, and into microwave and oven. Linen is washed at 40 °C.</p>"},
					{"question": "What if something arrives broken?", "answer_html": "<p>Send us a photograph, and another one leaves us the same week.</p>"},
					{"question": "Can I send it back?", "answer_html": "<p>Within 30 days, for any reason.</p>"},
				}},
				{"id": "letters", "type": "newsletter", "heading": "When the kiln is opened", "text": "A letter a month: what is new, what is back, and what went wrong."},
			},
		}
	},
}

var (
	mugs     = []string{"Tableware", "Cups and mugs"}
	plates   = []string{"Tableware", "Plates and bowls"}
	serving  = []string{"Tableware", "Serving"}
	vases    = []string{"Vases"}
	cushions = []string{"Textiles", "Cushions and throws"}
	napery   = []string{"Textiles", "Table linen"}
	lights   = []string{"Around the house", "Candles and lamps"}
	kitchen  = []string{"Around the house", "Kitchen and keeping"}
)

const care = `<ul><li>Stoneware, fired at 1,240 °C</li><li>Safe in dishwasher, microwave and oven</li><li>Each piece is a little different</li></ul>`

var clayGoods = []good{
	{
		handle: "amphora", title: "Amphora with two handles", in: vases, kind: "Vase", tags: []string{"vase", "terracotta", "large"}, price: 12800, stock: 9, grams: 3400,
		text: `<p>A shape that has held oil and wine for three thousand years, and now holds whatever the garden gives. The handles are pulled by hand and set while the clay is still soft.</p><p>36 cm high, watertight inside.</p>` + care,
		options: []option{{"Finish", []choice{
			in("Terracotta", still.Amphora(still.Terra, still.Sage, "olive")), in("Oat", still.Amphora(still.Oat, still.Rose, "branch")), in("Soot", still.Amphora(still.Soot, still.Linen, "grass")),
		}}},
	},
	{
		handle: "moon-jar", title: "Moon jar", in: vases, kind: "Vase", tags: []string{"vase", "white", "large"}, price: 16500, stock: 4, grams: 4200,
		text: `<p>Two bowls, joined rim to rim and thrown into one round. The seam stays as a faint line around its middle, which is how one knows that it was made by hand.</p><p>28 cm across. Beautiful empty.</p>`,
		options: []option{{"Glaze", []choice{
			in("Chalk", still.MoonJar(still.Chalk, still.Fog)), in("Blush", still.MoonJar(still.Blush, still.Rose)), {name: "Ink", picture: shown(still.MoonJar(still.Ink, still.Linen)), stock: none},
		}}},
	},
	{
		handle: "everyday-mug", title: "Everyday mug", in: mugs, kind: "Mug", tags: []string{"mug", "coffee", "tea", "gift"}, price: 2400, stock: 48, grams: 380,
		text: `<p>The mug that one reaches for first. It holds 330 ml, keeps them warm, and its handle has room for three fingers. The foot is left unglazed, so that the clay can be felt.</p>` + care,
		options: []option{{"Glaze", []choice{
			in("Oat", still.Mug(still.Oat, still.Linen)), in("Moss", still.Mug(still.Moss, still.Sage)), in("Ink", still.Mug(still.Ink, still.Fog)), in("Rust", still.Mug(still.Rust, still.Rose)),
		}}},
		views: []still.Picture{still.Mug(still.Oat, still.Linen).Closer(1.9, 420, 640)},
	},
	{
		handle: "table-lamp", title: "Table lamp with a linen shade", in: lights, kind: "Lamp", tags: []string{"lamp", "linen", "light"}, price: 18900, former: 21900, stock: 7, grams: 2900,
		text: `<p>A round foot of stoneware under a shade of washed linen, which turns the light of a bulb into that of late afternoon. With a flex of cotton and a dimmer.</p><ul><li>42 cm high</li><li>E27, up to 9 W LED; bulb included</li></ul>`,
		options: []option{{"Foot", []choice{
			in("Rust", still.Lamp(still.Rust, still.Hex("efe6d5"), still.Sage)), in("Sea", still.Lamp(still.Sea, still.Hex("efe9dd"), still.Linen)), in("Oat", still.Lamp(still.Oat, still.Hex("e6d8c0"), still.Clayed)),
		}}},
	},
	{
		handle: "dinner-plates", title: "Dinner plates, set of three", in: plates, kind: "Plates", tags: []string{"plate", "set", "table"}, price: 8400, stock: 16, grams: 2300,
		text: `<p>A dinner plate, a plate for the salad and one for the bread, in three glazes that were made for each other. They stack low and dry fast.</p><p>28, 22 and 16 cm.</p>` + care,
		options: []option{{"Colours", []choice{
			in("Garden", still.Plates(still.Plain, still.Oat, still.Moss, still.Rust)), in("Harbour", still.Plates(still.Plain, still.Chalk, still.Sea, still.Ink)), in("Dune", still.Plates(still.Plain, still.Blush, still.Oat, still.Honey)),
		}}},
	},
	{
		handle: "wool-throw", title: "Lambswool throw", in: cushions, kind: "Throw", tags: []string{"wool", "throw", "warm"}, price: 13900, stock: 11, grams: 950,
		text: `<p>Spun and woven from the wool of lambs, brushed on one side, with a twisted fringe. Large enough for two on one sofa, light enough for one on a train.</p><p>130 × 190 cm. Airing is better than washing.</p>`,
		options: []option{{"Colour", []choice{
			in("Sand and sage", still.Throw(natural, sage, still.Linen)), in("Rose and night", still.Throw(rose, night, still.Rose)), in("Night and sand", still.Throw(night, sand, still.Fog)),
		}}},
	},
	{
		handle: "ridged-vase", title: "Ridged vase", in: vases, kind: "Vase", tags: []string{"vase", "ridged"}, price: 6900, stock: 14, grams: 1500,
		text: `<p>A cylinder with a ridge for every turn of the wheel. The glaze thins on the edges and gathers in the hollows, so that light draws the lines.</p><p>24 cm high.</p>`,
		options: []option{{"Glaze", []choice{
			in("Oat", still.RidgedVase(still.Oat, still.Rose, "grass")), in("Sea", still.RidgedVase(still.Sea, still.Linen, "branch")), in("Rust", still.RidgedVase(still.Rust, still.Sage, "eucalyptus")),
		}}},
		views: []still.Picture{still.RidgedVase(still.Oat, still.Rose, "grass").Closer(2, 400, 660)},
	},
	{
		handle: "striped-cushion", title: "Striped cushion", in: cushions, kind: "Cushion", tags: []string{"cushion", "linen", "stripes"}, price: 3900, stock: 22, grams: 700,
		text: `<p>Stripes that are woven, not printed: they look the same from both sides and stay when the cover is washed. Filled with feathers from farms that we know.</p>`,
		options: []option{
			{"Colour", []choice{in("Walnut", still.Cushion(natural, walnutBrown, "stripes", still.Linen)), in("Night", still.Cushion(sand, night, "stripes", still.Fog)), in("Rust", still.Cushion(sand, rust, "stripes", still.Rose))}},
			{"Size", []choice{at("45 × 45 cm", 3900), at("60 × 60 cm", 5200)}},
		},
	},
	{
		handle: "teapot", title: "Teapot with a cane handle", in: serving, kind: "Teapot", tags: []string{"tea", "pot", "cane"}, price: 9800, stock: 8, grams: 1350,
		text: `<p>Round, so that leaves have room, with a spout that does not drip and a handle of bent cane that stays cool. Holds 0.9 litres, which is four cups or one long afternoon.</p><ul><li>Sieve of 40 fine holes behind the spout</li><li>Rinse by hand; the cane prefers it</li></ul>`,
		options: []option{{"Glaze", []choice{
			in("Soot", still.Teapot(still.Soot, still.Clayed)), in("Sea", still.Teapot(still.Sea, still.Linen)), in("Chalk", still.Teapot(still.Chalk, still.Sage)),
		}}},
	},
	{
		handle: "salad-bowl", title: "Wide salad bowl", in: plates, kind: "Bowl", tags: []string{"bowl", "salad", "table"}, price: 7400, stock: 12, grams: 1600,
		text: `<p>Low enough to see what one is eating, wide enough to toss it. Also a good home for lemons.</p><p>30 cm across, 11 cm high.</p>` + care,
		options: []option{{"Glaze", []choice{
			in("Sea", still.Bowl(still.Sea, still.Plain)), in("Honey", still.Bowl(still.Honey, still.Linen)), in("Oat", still.Bowl(still.Oat, still.Sage)),
		}}},
	},
	{
		handle: "candlesticks", title: "Pair of candlesticks", in: lights, kind: "Candlestick", tags: []string{"candle", "light", "gift", "set"}, price: 5600, stock: 15, grams: 820,
		text: `<p>One tall, one small, both steady. They take candles of the usual 22 mm; two of beeswax come with them.</p>`,
		options: []option{{"Glaze", []choice{
			in("Ink", still.Tapers(still.Ink, still.Hex("e8dcc5"), still.Plain)), in("Chalk", still.Tapers(still.Chalk, still.Hex("d9a441"), still.Clayed)), in("Moss", still.Tapers(still.Moss, still.Hex("e8dcc5"), still.Sage)),
		}}},
	},
	{
		handle: "pouring-jug", title: "Pouring jug", in: serving, kind: "Jug", tags: []string{"jug", "milk", "water"}, price: 6400, stock: 13, grams: 1100,
		text: `<p>For water at the table, milk at the stove, or tulips in April. The lip is folded in one movement, and lets go of the last drop where it should.</p><p>1.2 litres.</p>` + care,
		options: []option{{"Glaze", []choice{
			in("Chalk", still.Jug(still.Chalk, still.Rose)), in("Honey", still.Jug(still.Honey, still.Linen)), in("Sea", still.Jug(still.Sea, still.Fog)),
		}}},
	},
	{
		handle: "bud-vases", title: "Bud vases, set of three", in: vases, kind: "Vase", tags: []string{"vase", "set", "small", "gift"}, price: 5900, stock: 19, grams: 900,
		text: `<p>Three small bottles for what is left of the bouquet on day five. They stand together on a sill, or one to each place at a table.</p>`,
		options: []option{{"Set", []choice{
			in("Meadow", still.BudVases(still.Blush, still.Ink, still.Honey, still.Plain)), in("Coast", still.BudVases(still.Chalk, still.Sea, still.Soot, still.Fog)), in("Wood", still.BudVases(still.Moss, still.Oat, still.Rust, still.Linen)),
		}}},
	},
	{
		handle: "linen-napkins", title: "Linen napkins, four of two colours", in: napery, kind: "Napkins", tags: []string{"linen", "table", "gift", "set"}, price: 3600, stock: 30, grams: 320,
		text: `<p>Stonewashed linen with a hem as wide as a thumb. They need no iron and get better for years. Tied with a ribbon, ready to give.</p><p>45 × 45 cm, washable at 60 °C.</p>`,
		options: []option{{"Colours", []choice{
			in("Flax and rust", still.Napkins(still.Hex("d8c8b0"), rust, still.Plain)), in("Sage and flax", still.Napkins(sage, still.Hex("d8c8b0"), still.Linen)), in("Night and rose", still.Napkins(night, rose, still.Fog)),
		}}},
	},
	{
		handle: "espresso-cups", title: "Espresso cups, set of three", in: mugs, kind: "Cup", tags: []string{"espresso", "coffee", "set", "gift"}, price: 4200, stock: 21, grams: 540,
		text: `<p>Eighty millilitres and no handle: when it can be held, it can be drunk. Three cups that stack, in two glazes that get along.</p>` + care,
		options: []option{{"Glazes", []choice{
			in("Ink and oat", still.EspressoCups(still.Ink, still.Oat, still.Sage)), in("Rust and chalk", still.EspressoCups(still.Rust, still.Chalk, still.Linen)), in("Moss and honey", still.EspressoCups(still.Moss, still.Honey, still.Clayed)),
		}}},
	},
	{
		handle: "seagrass-basket", title: "Basket of seagrass", in: kitchen, kind: "Basket", tags: []string{"basket", "storage"}, price: 5400, stock: 10, grams: 1200,
		text: `<p>Twisted, coiled and sewn by hand. For firewood, for wool, for the toys that should be gone when the guests come.</p><p>38 cm across, 30 cm high.</p>`,
		options: []option{{"Colour", []choice{
			in("Natural", still.Basket(still.Hex("c9a26d"), still.Linen)), in("Smoked", still.Basket(still.Hex("8a6647"), still.Sage)),
		}}},
	},
	{
		handle: "bottle-vase", title: "Bottle vase", in: vases, kind: "Vase", tags: []string{"vase", "eucalyptus"}, price: 7900, stock: 12, grams: 1700,
		text: `<p>A full belly and a narrow neck: three stems are enough, and stand as if arranged. The glaze runs a little darker where it gathers.</p><p>26 cm high.</p>`,
		options: []option{{"Glaze", []choice{
			in("Moss", still.BottleVase(still.Moss, still.Linen, "eucalyptus")), in("Sea", still.BottleVase(still.Sea, still.Fog, "grass")), in("Honey", still.BottleVase(still.Honey, still.Rose, "berries")),
		}}},
	},
	{
		handle: "candle-in-a-cup", title: "Candle in a cup", in: lights, kind: "Candle", tags: []string{"candle", "scent", "gift"}, price: 2800, stock: 36, grams: 420,
		text: `<p>Rapeseed wax with cedar, fig leaf and a little smoke. It burns for forty hours; afterwards the cup is a cup.</p>`,
		options: []option{{"Cup", []choice{
			in("Oat", still.Candle(still.Oat, still.Dusk)), in("Blush", still.Candle(still.Blush, still.Rose)), in("Ink", still.Candle(still.Ink, still.Clayed)),
		}}},
	},
	{
		handle: "oak-board", title: "Board with a handle", in: kitchen, kind: "Board", tags: []string{"wood", "board", "kitchen"}, price: 4900, stock: 17, grams: 1400,
		text: `<p>Cut from one plank, oiled three times, with a loop of leather to hang it up by. It will get scratches. They suit it.</p><p>42 × 26 × 2 cm.</p>`,
		options: []option{{"Wood", []choice{
			in("Oak", still.Board(still.Hex("d2a878"), still.Hex("7a4a28"), still.Plain)), in("Walnut", still.Board(still.Hex("9a6b45"), still.Hex("4a2c18"), still.Sage)),
		}}},
	},
	{
		handle: "checked-cushion", title: "Checked cushion", in: cushions, kind: "Cushion", tags: []string{"cushion", "cotton", "check"}, price: 4200, stock: 20, grams: 700,
		text: `<p>A generous check in two colours that make a third where they cross. Heavy cotton with a hidden zip.</p>`,
		options: []option{
			{"Colour", []choice{in("Sage", still.Cushion(still.Hex("e4dac6"), sage, "check", still.Sage)), in("Rust", still.Cushion(still.Hex("e8d8c4"), rust, "check", still.Linen))}},
			{"Size", []choice{at("45 × 45 cm", 4200), at("60 × 60 cm", 5500)}},
		},
	},
	{
		handle: "breakfast-bowl", title: "Breakfast bowl", in: plates, kind: "Bowl", tags: []string{"bowl", "breakfast", "gift"}, price: 2900, stock: 40, grams: 560,
		text: `<p>For porridge, soup, or standing at the window with a bit of both. It fits into two hands.</p><p>16 cm across, 0.6 litres.</p>` + care,
		options: []option{{"Glaze", []choice{
			in("Ink", still.Bowl(still.Ink, still.Rose).Closer(0.86, 400, 470)), in("Blush", still.Bowl(still.Blush, still.Linen).Closer(0.86, 400, 470)), in("Moss", still.Bowl(still.Moss, still.Plain).Closer(0.86, 400, 470)),
		}}},
	},
	{
		handle: "serving-platter", title: "Serving platter", in: serving, kind: "Platter", tags: []string{"platter", "table", "large"}, price: 8900, stock: 9, grams: 2100,
		text: `<p>For a whole fish, a tart, or forty small things. The rings of the throwing stay in the glaze.</p><p>36 cm across.</p>` + care,
		options: []option{{"Glaze", []choice{
			in("Rust", still.Platter(still.Rust, still.Linen)), in("Moss", still.Platter(still.Moss, still.Plain)), in("Honey", still.Platter(still.Honey, still.Plain)),
		}}},
	},
	{
		handle: "cup-and-saucer", title: "Cup and saucer", in: mugs, kind: "Cup", tags: []string{"cup", "coffee", "gift"}, price: 3400, stock: 26, grams: 520,
		text: `<p>For the cup of coffee that is a visit. The saucer has a shallow well, in which the cup stands without sliding.</p><p>180 ml.</p>` + care,
		options: []option{{"Glaze", []choice{
			in("Blush", still.Cup(still.Blush, still.Linen)), in("Chalk", still.Cup(still.Chalk, still.Rose)), in("Sea", still.Cup(still.Sea, still.Plain)),
		}}},
	},
	{
		handle: "edged-cushion", title: "Cushion with a coloured edge", in: cushions, kind: "Cushion", tags: []string{"cushion", "linen"}, price: 4600, former: 5600, stock: 6, grams: 700,
		text: `<p>Plain linen with a frame of another colour, sewn corner to corner. Quiet from afar, exact from close by.</p>`,
		options: []option{{"Colour", []choice{
			in("Sand and rust", still.Cushion(sand, rust, "edge", still.Rose)), in("Rose and night", still.Cushion(rose, night, "edge", still.Linen)),
		}}},
	},
	{
		handle: "slow-table-book", title: "The Slow Table, a cookbook", in: kitchen, kind: "Book", tags: []string{"book", "gift"}, price: 3200, stock: 25, grams: 980,
		text: `<p>Sixty recipes for people who like to sit: one pot, one oven, one long evening. Bound in cloth, opens flat, survives a splash.</p><p>208 pages, in English.</p>`,
		views: []still.Picture{
			still.Book(still.Print{Name: "The Slow Table", Line: "Sixty recipes for long evenings", Motif: "leaves", Paper: still.Hex("f1e9da"), Ink: still.Hex("4b3a2c"), First: still.Hex("d7c3a2"), Second: still.Hex("7c8763")}, still.Linen),
		},
	},
	{
		handle: "gift-card", title: "Gift card", in: kitchen, kind: "Gift card", tags: []string{"gift"}, price: 2500, stock: 500, grams: 20,
		text:    `<p>Printed on heavy cotton paper and sent in an envelope of the same. It does not expire.</p>`,
		options: []option{{"Value", []choice{at("25", 2500), at("50", 5000), at("100", 10000)}}},
		views: []still.Picture{
			still.Card(still.Print{Name: "Clay and Linen", Line: "A gift for you", Motif: "hills", Paper: still.Hex("f3ece0"), Ink: still.Hex("5a3325"), First: still.Hex("e7cbb3"), Second: still.Hex("c98a63")}, still.Clayed),
		},
	},
}
