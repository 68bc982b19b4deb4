// SPDX-License-Identifier: Apache-2.0

package jsontext

const (
	secondsPerDay  = 86400
	daysPerEra     = 146097 // days in 400 years of the Gregorian calendar
	nanosPerSecond = 1_000_000_000
)

// AppendTime appends the quoted time of unixNano, nanoseconds since 1970 in UTC, in RFC 3339 with all nine decimals:
// "2006-01-02T15:04:05.000000000Z". It covers the whole range of a signed 64-bit count, the years 1677 to 2262.
func AppendTime(dst []byte, unixNano int64) []byte {
	dst = append(dst, '"')
	dst = AppendTimeText(dst, unixNano, 9)
	return append(dst, '"')
}

// AppendTimeText appends the time without quotes and with so many decimals, 0 to 9; what is finer is cut off.
//
// It computes the fields itself: time.AppendFormat costs several times as much, and every record has two times.
func AppendTimeText(dst []byte, unixNano int64, decimals int) []byte {
	seconds, nanos := floorDiv(unixNano, nanosPerSecond)
	days, second := floorDiv(seconds, secondsPerDay)
	year, month, day := civil(days)

	// "2006-01-02T15:04:05.000000000"
	var text [29]byte
	put2(text[0:], year/100)
	put2(text[2:], year%100)
	text[4] = '-'
	put2(text[5:], month)
	text[7] = '-'
	put2(text[8:], day)
	text[10] = 'T'
	put2(text[11:], second/3600)
	text[13] = ':'
	put2(text[14:], second/60%60)
	text[16] = ':'
	put2(text[17:], second%60)
	n := 19
	if decimals > 0 {
		text[19] = '.'
		put2(text[20:], nanos/10_000_000)
		put2(text[22:], nanos/100_000%100)
		put2(text[24:], nanos/1000%100)
		put2(text[26:], nanos/10%100)
		text[28] = byte('0' + nanos%10)
		n = 20 + decimals
	}
	dst = append(dst, text[:n]...)
	return append(dst, 'Z')
}

func floorDiv(a, b int64) (quotient, remainder int64) {
	quotient, remainder = a/b, a%b
	if remainder < 0 {
		quotient, remainder = quotient-1, remainder+b
	}
	return quotient, remainder
}

// civil turns days since 1970-01-01 into a date of the Gregorian calendar.
// Years are counted from March, so that the leap day is the last of its year.
func civil(days int64) (year, month, day int64) {
	days += 719468 // from 0000-03-01
	era, dayOfEra := floorDiv(days, daysPerEra)
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36524 - dayOfEra/(daysPerEra-1)) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	fromMarch := (5*dayOfYear + 2) / 153
	day = dayOfYear - (153*fromMarch+2)/5 + 1
	month = fromMarch + 3
	if month > 12 {
		month -= 12
	}
	year = yearOfEra + era*400
	if month <= 2 {
		year++
	}
	return year, month, day
}

// pairs holds the two digits of each number below 100.
var pairs = func() (t [200]byte) {
	for i := range 100 {
		t[2*i], t[2*i+1] = byte('0'+i/10), byte('0'+i%10)
	}
	return t
}()

func put2(dst []byte, v int64) {
	copy(dst[:2], pairs[2*v:2*v+2])
}
