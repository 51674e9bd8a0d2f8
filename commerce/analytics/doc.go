// Package analytics tells merchants what they sold: by day, week and month of their own time
// zone, in one currency at a time, exact to the cent against the orders.
//
// What an order comes to in the figures follows from its own records alone: when it was placed
// and with what, each edit, each refund that succeeded, its cancellation. So its facts can be
// computed at any time, and in any order, and come out the same. A job that goes with each change
// computes them anew, and folds the difference to what was counted of the order before into the
// sums of its days and months. A job that is repeated finds no difference; one that was lost is
// made up for by the next of the same order, or by a rebuild.
//
// What the figures mean:
//
//   - Gross sales are the goods at their prices, without taxes and before discounts. An edit counts
//     by its difference, on the day of the edit.
//   - Discounts are what was taken off the goods, without taxes.
//   - Returns are what was paid back of the goods, without taxes, on the day of the refund; and all
//     that is left of an order, on the day of its cancellation.
//   - Net sales are gross sales less discounts and returns.
//   - Shipping, taxes and fees kept of returns are those of orders, less what was paid back of them.
//   - Total sales are all of these. They are what the orders come to, less what was paid back of
//     them, to the cent.
//
// A refund of lines is of these lines, and what it comes to besides is shipping. One of an amount
// is of everything that is left of the order, in proportion; the last one is of all that is left.
//
// Nothing of it is counted within a sale. The package owns analytics_orders, analytics_figures
// and analytics_visits, and reads the rows of orders, edits, refunds and variants.
package analytics
