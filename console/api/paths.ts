/** Addresses of exams and series. Identifiers are opaque and may hold anything. */
export const examPath = (examId: string): string => `api/exams/${encodeURIComponent(examId)}`;
export const seriesPath = (examId: string, seriesId: string): string => `${examPath(examId)}/series/${encodeURIComponent(seriesId)}`;
