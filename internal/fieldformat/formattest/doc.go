// SPDX-License-Identifier: Apache-2.0

// Package formattest holds what the tests of the field formats need and the
// exporter itself does not: a corpus of realistic input records, a generator
// of odd ones, and one validator per format that is driven by the official
// field lists (lists/) and knows nothing of the code it judges.
package formattest
