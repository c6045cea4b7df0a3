export const charts = () => "";
