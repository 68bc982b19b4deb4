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

	dst = appendDigits(dst, year, 4)
	dst = append(dst, '-')
	dst = appendDigits(dst, month, 2)
	dst = append(dst, '-')
	dst = appendDigits(dst, day, 2)
	dst = append(dst, 'T')
	dst = appendDigits(dst, second/3600, 2)
	dst = append(dst, ':')
	dst = appendDigits(dst, second/60%60, 2)
	dst = append(dst, ':')
	dst = appendDigits(dst, second%60, 2)
	if decimals > 0 {
		dst = append(dst, '.')
		end := len(dst) + decimals
		dst = appendDigits(dst, nanos, 9)[:end]
	}
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

func appendDigits(dst []byte, v int64, width int) []byte {
	var digits [9]byte
	for i := width - 1; i >= 0; i-- {
		digits[i] = byte('0' + v%10)
		v /= 10
	}
	return append(dst, digits[:width]...)
}
